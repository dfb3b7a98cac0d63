//! Key paths and the suffixes that order results by them.

use super::ast::*;
use super::error::QueryError;
use super::lexer::{Token, next_token};
use super::literal;
use super::parser::{PATH_STEPS, Parser};
use crate::value::Value;

/// The steps of a key path that is an argument, all of them at the argument's place.
pub(super) fn key_path_steps(text: &str, at: usize) -> Result<Vec<Step>, QueryError> {
    let refuse = || QueryError::new(at, format!("'{text}' is not a key path"));
    let mut parser = Parser { text, current: next_token(text, 0), depth: 0 };
    let path = parser.path().map_err(|_| refuse())?;
    let nests = path.steps.iter().any(|step| matches!(step.kind, StepKind::Argument(_)));
    if parser.current.token != Token::End || path.tail != Tail::None || nests {
        return Err(refuse());
    }
    Ok(path.steps.into_iter().map(|step| Step { at, ..step }).collect())
}

impl Parser<'_> {
    pub(super) fn path(&mut self) -> Result<Path, QueryError> {
        let mut path = Path { steps: Vec::new(), tail: Tail::None, at: self.current.start };
        loop {
            self.step(&mut path)?;
            if path.steps.len() > PATH_STEPS {
                let message = format!("Key path has more than {PATH_STEPS} steps");
                return Err(QueryError::new(path.at, message));
            }
            if self.current.token != Token::Symbol(b'.') {
                return Ok(path);
            }
            let aggregate = match self.peek().token {
                Token::Min => Aggregate::Min,
                Token::Max => Aggregate::Max,
                Token::Sum => Aggregate::Sum,
                Token::Average => Aggregate::Average,
                Token::Count | Token::Type => {
                    self.advance();
                    let counts = self.advance().token == Token::Count;
                    path.tail = if counts { Tail::Count } else { Tail::Type };
                    return Ok(path);
                }
                _ => {
                    self.advance();
                    continue;
                }
            };
            self.advance();
            self.advance();
            let mut property = None;
            if self.current.token == Token::Symbol(b'.') {
                self.advance();
                property = Some(self.name()?);
            }
            path.tail = Tail::Aggregate { aggregate, property };
            return Ok(path);
        }
    }

    /// One step with the indexes behind it.
    fn step(&mut self, path: &mut Path) -> Result<(), QueryError> {
        let at = self.current.start;
        let kind = match self.current.token {
            Token::Links => {
                self.advance();
                let ends = self.current.token != Token::Symbol(b'.') || self.peek().token == Token::Count;
                if ends {
                    StepKind::AllBacklinks
                } else {
                    self.advance();
                    let class = self.name()?;
                    self.expect(Token::Symbol(b'.'))?;
                    StepKind::Backlinks { class, property: self.name()? }
                }
            }
            Token::PathArgument => {
                let index = self.argument_index()?;
                self.advance();
                StepKind::Argument(index)
            }
            Token::Keys | Token::Values => {
                if self.advance().token == Token::Keys {
                    StepKind::Keys
                } else {
                    StepKind::Values
                }
            }
            // What can only be an operator or a constant at the start of a path is a name after a dot.
            _ if !path.steps.is_empty() => StepKind::Name(self.name()?),
            token if begins_path(token) => StepKind::Name(self.name()?),
            _ => return Err(self.unexpected(&[])),
        };
        path.steps.push(Step { kind, at });
        self.indexes(&mut path.steps)
    }

    /// The indexes behind a step.
    fn indexes(&mut self, steps: &mut Vec<Step>) -> Result<(), QueryError> {
        while self.current.token == Token::Symbol(b'[') && steps.len() <= PATH_STEPS {
            let at = self.current.start;
            self.advance();
            let index = self.index()?;
            self.expect(Token::Symbol(b']'))?;
            steps.push(Step { kind: StepKind::Index(index), at });
        }
        Ok(())
    }

    fn index(&mut self) -> Result<Index, QueryError> {
        let source = &self.text[self.current.start..self.current.end];
        let index = match self.current.token {
            Token::Natural => {
                let at = self.current.start;
                Index::At(source.parse().map_err(|_| self.invalid(at, "list index out of range"))?)
            }
            Token::String => match literal::value(Token::String, source) {
                Ok(Value::String(key)) => Index::Key(key),
                _ => return Err(self.invalid(self.current.start, "invalid escape in a key")),
            },
            Token::Argument => Index::Argument(self.argument_index()?),
            Token::Symbol(b'*') => Index::Every,
            Token::Identifier if source.eq_ignore_ascii_case("first") => Index::First,
            Token::Identifier if source.eq_ignore_ascii_case("last") => Index::Last,
            Token::Identifier if source.eq_ignore_ascii_case("size") => Index::Size,
            _ => return Err(self.unexpected(&["string", "natural0", "argument"])),
        };
        self.advance();
        Ok(index)
    }

    /// A word of any kind as a name, its escapes read.
    fn name(&mut self) -> Result<String, QueryError> {
        let source = &self.text[self.current.start..self.current.end];
        let is_word = source.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$' || !c.is_ascii());
        let is_literal = matches!(
            self.current.token,
            Token::Base64 | Token::Date | Token::Uuid | Token::ObjectId | Token::TypedLink | Token::Invalid
        );
        if !is_word || is_literal {
            return Err(self.unexpected(&[]));
        }
        self.advance();
        if !source.contains('\\') {
            return Ok(source.to_string());
        }
        let unescaped = source.replace("\\ ", " ").replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t");
        Ok(unescaped)
    }

    pub(super) fn suffixes(&mut self) -> Result<Vec<Suffix>, QueryError> {
        let mut suffixes = Vec::new();
        loop {
            let token = self.current.token;
            if !matches!(token, Token::Sort | Token::Distinct | Token::Limit) {
                return Ok(suffixes);
            }
            self.advance();
            self.expect(Token::Symbol(b'('))?;
            suffixes.push(match token {
                Token::Sort => Suffix::Sort(self.separated(Self::sort_key)?),
                Token::Distinct => Suffix::Distinct(self.separated(Self::sort_path)?),
                _ => {
                    let natural = self.expect(Token::Natural)?;
                    // A limit beyond all objects is no limit.
                    Suffix::Limit(self.text[natural.start..natural.end].parse().unwrap_or(usize::MAX))
                }
            });
            match (token, self.current.token) {
                (_, Token::Symbol(b')')) => self.advance(),
                (Token::Limit, _) => self.expect(Token::Symbol(b')'))?,
                _ => return Err(self.unexpected(&["')'", "','"])),
            };
        }
    }

    fn separated<T>(&mut self, item: fn(&mut Self) -> Result<T, QueryError>) -> Result<Vec<T>, QueryError> {
        let mut items = vec![item(self)?];
        while self.current.token == Token::Symbol(b',') {
            self.advance();
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn sort_key(&mut self) -> Result<(SortPath, Direction), QueryError> {
        let path = self.sort_path()?;
        let direction = match self.current.token {
            Token::Ascending => Direction::Ascending,
            Token::Descending => Direction::Descending,
            _ => return Err(self.unexpected(&["ascending", "descending", "'.'"])),
        };
        self.advance();
        Ok((path, direction))
    }

    fn sort_path(&mut self) -> Result<SortPath, QueryError> {
        let start = self.current.start;
        let mut steps = Vec::new();
        loop {
            let at = self.current.start;
            let kind = match self.current.token {
                Token::PathArgument => {
                    let index = self.argument_index()?;
                    self.advance();
                    StepKind::Argument(index)
                }
                Token::Links => return Err(self.unexpected(&["identifier"])),
                _ => StepKind::Name(self.name()?),
            };
            steps.push(Step { kind, at });
            self.indexes(&mut steps)?;
            if steps.len() > PATH_STEPS {
                return Err(QueryError::new(start, format!("Key path has more than {PATH_STEPS} steps")));
            }
            if self.current.token != Token::Symbol(b'.') {
                return Ok(SortPath { steps, at: start });
            }
            self.advance();
        }
    }
}

/// Tokens that are a property's name where a value is expected; operators need their place to be operators.
fn begins_path(token: Token) -> bool {
    matches!(
        token,
        Token::Identifier
            | Token::BeginsWith
            | Token::EndsWith
            | Token::Contains
            | Token::Like
            | Token::Text
            | Token::Between
            | Token::GeoWithin
            | Token::GeoBox
            | Token::GeoCircle
            | Token::GeoPolygon
            | Token::Sort
            | Token::Distinct
            | Token::Limit
            | Token::Ascending
            | Token::Descending
            | Token::Obj
            | Token::In
    )
}
