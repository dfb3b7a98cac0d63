//! `property GEOWITHIN shape`: the shapes of the language.

use super::ast::{Coordinate, Expression, ExpressionKind, GeoWithin, Point, Predicate, Shape};
use super::error::QueryError;
use super::lexer::Token;
use super::parser::Parser;

impl Parser<'_> {
    pub(super) fn geo_within(&mut self, value: Expression, at: usize) -> Result<Predicate, QueryError> {
        let ExpressionKind::Path { path, quantifier } = value.kind else {
            return Err(self.unexpected(&[]));
        };
        self.advance();
        let shape_at = self.current.start;
        let shape = self.shape()?;
        Ok(Predicate::GeoWithin(Box::new(GeoWithin { path, quantifier, shape, at, shape_at })))
    }

    fn shape(&mut self) -> Result<Shape, QueryError> {
        let token = self.current.token;
        match token {
            Token::Argument => {
                let index = self.argument_index()?;
                self.advance();
                return Ok(Shape::Argument(index));
            }
            Token::GeoBox | Token::GeoCircle | Token::GeoPolygon => self.advance(),
            _ => return Err(self.unexpected(&["geobox", "geopolygon", "geocircle", "argument"])),
        };
        self.expect(Token::Symbol(b'('))?;
        let shape = match token {
            Token::GeoBox => {
                let bottom_left = self.point()?;
                self.expect(Token::Symbol(b','))?;
                Shape::Box([bottom_left, self.point()?])
            }
            Token::GeoCircle => {
                let centre = self.point()?;
                self.expect(Token::Symbol(b','))?;
                if matches!(self.current.token, Token::Symbol(b'-' | b'+')) {
                    return Err(self.unexpected(&["natural0", "float", "argument"]));
                }
                Shape::Circle(centre, self.coordinate()?)
            }
            _ => {
                let mut rings = vec![self.ring()?];
                while self.current.token == Token::Symbol(b',') {
                    self.advance();
                    rings.push(self.ring()?);
                }
                Shape::Polygon(rings)
            }
        };
        self.expect(Token::Symbol(b')'))?;
        Ok(shape)
    }

    /// `{[1, 2], …}`
    fn ring(&mut self) -> Result<Vec<Point>, QueryError> {
        self.expect(Token::Symbol(b'{'))?;
        let mut points = vec![self.point()?];
        while self.current.token == Token::Symbol(b',') {
            self.advance();
            points.push(self.point()?);
        }
        self.expect(Token::Symbol(b'}'))?;
        Ok(points)
    }

    /// `[longitude, latitude]`; an altitude behind them means nothing.
    fn point(&mut self) -> Result<Point, QueryError> {
        self.expect(Token::Symbol(b'['))?;
        let longitude = self.coordinate()?;
        self.expect(Token::Symbol(b','))?;
        let latitude = self.coordinate()?;
        if self.current.token == Token::Symbol(b',') {
            self.advance();
            self.coordinate()?;
        }
        self.expect(Token::Symbol(b']'))?;
        Ok([longitude, latitude])
    }

    fn coordinate(&mut self) -> Result<Coordinate, QueryError> {
        if self.current.token == Token::Argument {
            let index = self.argument_index()?;
            self.advance();
            return Ok(Coordinate::Argument(index));
        }
        let start = self.current.start;
        if matches!(self.current.token, Token::Symbol(b'-' | b'+')) && self.peek().start == self.current.end {
            self.advance();
        }
        if !matches!(self.current.token, Token::Natural | Token::Float) {
            return Err(self.unexpected(&["natural0", "float", "argument"]));
        }
        let digits = self.text[start..self.current.end].trim_end_matches('f');
        let number = digits.parse().map_err(|_| self.invalid(start, "a coordinate must be a number"))?;
        self.advance();
        Ok(Coordinate::Number(number))
    }
}
