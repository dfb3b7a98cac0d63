//! Tokens to tree: a Pratt parser. One expression grammar serves predicates and values, because only what follows a
//! bracket tells `(a + 1) * 2 > b` from `(a > 1) AND b > 2`.

use super::ast::*;
use super::error::QueryError;
use super::lexer::{Lexed, Token, next_token};
use super::literal;
use crate::value::Value;

/// Bytes of a query's text.
pub const QUERY_BYTES: usize = 1024 * 1024;
/// Brackets, negations and subqueries inside each other.
pub const QUERY_DEPTH: usize = 100;
/// Steps of one key path.
pub const PATH_STEPS: usize = 64;

/// Parses a query.
///
/// # Errors
/// Text that is not in the language, is longer than [`QUERY_BYTES`] or nested deeper than [`QUERY_DEPTH`].
pub fn parse(text: &str) -> Result<Query, QueryError> {
    if text.len() > QUERY_BYTES {
        let message = format!("Query is {} bytes long; at most {QUERY_BYTES} are allowed", text.len());
        return Err(QueryError::new(QUERY_BYTES, message));
    }
    let mut parser = Parser { text, current: next_token(text, 0), depth: 0 };
    let predicate = match parser.current.token {
        // "SORT(…)" alone orders everything.
        Token::Sort | Token::Distinct | Token::Limit if parser.peek().token == Token::Symbol(b'(') => Predicate::True,
        _ => parser.predicate()?,
    };
    let suffixes = parser.suffixes()?;
    parser.expect(Token::End)?;
    Ok(Query { predicate, suffixes })
}

/// Binding powers, weakest first.
const OR: u8 = 1;
const AND: u8 = 2;
const COMPARISON: u8 = 3;
const SUM: u8 = 4;
const PRODUCT: u8 = 5;
const OPERAND: u8 = 6;

enum Node {
    Predicate(Predicate),
    Value(Expression),
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) current: Lexed,
    pub(super) depth: usize,
}

impl<'a> Parser<'a> {
    fn predicate(&mut self) -> Result<Predicate, QueryError> {
        match self.node(OR)? {
            Node::Predicate(predicate) => Ok(predicate),
            Node::Value(_) => Err(self.unexpected(&[])),
        }
    }

    fn value(&mut self, binding: u8) -> Result<Expression, QueryError> {
        let at = self.current.start;
        match self.node(binding)? {
            Node::Value(value) => Ok(value),
            Node::Predicate(_) => {
                Err(QueryError::syntax(self.text, at, "syntax error, unexpected comparison, expecting a value"))
            }
        }
    }

    /// Parses operators that bind at least as strongly as `binding`.
    fn node(&mut self, binding: u8) -> Result<Node, QueryError> {
        let mut left = self.operand()?;
        loop {
            let at = self.current.start;
            let strength = match self.current.token {
                Token::Or => OR,
                Token::And => AND,
                Token::Symbol(b'+' | b'-') => SUM,
                Token::Symbol(b'*' | b'/') => PRODUCT,
                token if comparison(token).is_some() => COMPARISON,
                Token::Between | Token::GeoWithin => COMPARISON,
                _ => break,
            };
            if strength < binding {
                break;
            }
            left = match (strength, left) {
                (OR, Node::Predicate(first)) => Node::Predicate(self.chain(first, Token::Or)?),
                (AND, Node::Predicate(first)) => Node::Predicate(self.chain(first, Token::And)?),
                (COMPARISON, Node::Value(value)) => Node::Predicate(self.comparison(value, at)?),
                (SUM | PRODUCT, Node::Value(first)) => Node::Value(self.arithmetic(first, strength)?),
                _ => return Err(self.unexpected(&[])),
            };
        }
        Ok(left)
    }

    /// The rest of `first AND … AND …`, or of the same with OR.
    fn chain(&mut self, first: Predicate, operator: Token) -> Result<Predicate, QueryError> {
        let mut parts = vec![first];
        while self.current.token == operator {
            self.advance();
            match self.node(if operator == Token::Or { AND } else { COMPARISON })? {
                Node::Predicate(part) => parts.push(part),
                Node::Value(_) => return Err(self.unexpected(&[])),
            }
        }
        Ok(if operator == Token::Or { Predicate::Or(parts) } else { Predicate::And(parts) })
    }

    fn arithmetic(&mut self, first: Expression, strength: u8) -> Result<Expression, QueryError> {
        let at = first.at;
        let mut rest = Vec::new();
        loop {
            let operator = match (self.current.token, strength) {
                (Token::Symbol(b'+'), SUM) => Arithmetic::Add,
                (Token::Symbol(b'-'), SUM) => Arithmetic::Subtract,
                (Token::Symbol(b'*'), PRODUCT) => Arithmetic::Multiply,
                (Token::Symbol(b'/'), PRODUCT) => Arithmetic::Divide,
                _ => break,
            };
            self.advance();
            rest.push((operator, self.value(strength + 1)?));
        }
        Ok(Expression { kind: ExpressionKind::Chain { first: Box::new(first), rest }, at })
    }

    fn comparison(&mut self, left: Expression, at: usize) -> Result<Predicate, QueryError> {
        let token = self.current.token;
        if token == Token::GeoWithin {
            return self.geo_within(left, at);
        }
        self.advance();
        if token == Token::Between {
            return self.between(left, at);
        }
        let operator = comparison(token).expect("invariant: the caller has seen a comparison");
        let mut case = Case::Sensitive;
        if self.current.token == Token::CaseInsensitive {
            if operator.is_relational() || operator == Operator::Text {
                return Err(self.unexpected(&[]));
            }
            case = Case::Insensitive;
            self.advance();
        }
        let right = self.value(SUM)?;
        Ok(Predicate::Compare(Box::new(Comparison { left, operator, case, right, at })))
    }

    fn between(&mut self, value: Expression, at: usize) -> Result<Predicate, QueryError> {
        let limits_at = self.current.start;
        if self.current.token != Token::Symbol(b'{') {
            return Err(self.unexpected(&["any", "all", "none", "'{'"]));
        }
        let limits = match self.list(None)?.kind {
            ExpressionKind::List { elements, .. } => <[Expression; 2]>::try_from(elements).ok(),
            _ => None,
        };
        let Some([low, high]) = limits else {
            return Err(QueryError::new(limits_at, "Operator 'BETWEEN' requires list with 2 elements."));
        };
        Ok(Predicate::Between(Box::new(Between { value, low, high, at })))
    }

    /// Runs `inner` one level deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, QueryError>) -> Result<T, QueryError> {
        if self.depth == QUERY_DEPTH {
            let message = format!("Query is nested deeper than {QUERY_DEPTH} levels");
            return Err(QueryError::new(self.current.start, message));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Only hands over: what nests goes through here, so that this frame has to be small.
    fn operand(&mut self) -> Result<Node, QueryError> {
        match self.current.token {
            Token::Symbol(b'(') => self.bracketed(),
            Token::Not => self.negation(),
            Token::Subquery => self.nested(Self::subquery),
            Token::TruePredicate | Token::FalsePredicate => Ok(Node::Predicate(self.fixed_predicate())),
            _ => self.plain_value().map(Node::Value),
        }
    }

    fn bracketed(&mut self) -> Result<Node, QueryError> {
        self.advance();
        let node = self.nested(|parser| parser.node(OR))?;
        if self.current.token != Token::Symbol(b')') {
            return Err(match node {
                Node::Predicate(_) => self.unexpected(&["&&", "||", "')'"]),
                Node::Value(_) => self.unexpected(&[]),
            });
        }
        self.advance();
        Ok(node)
    }

    fn negation(&mut self) -> Result<Node, QueryError> {
        self.advance();
        match self.nested(|parser| parser.node(COMPARISON))? {
            Node::Predicate(predicate) => Ok(Node::Predicate(Predicate::Not(Box::new(predicate)))),
            Node::Value(_) => Err(self.unexpected(&[])),
        }
    }

    fn fixed_predicate(&mut self) -> Predicate {
        if self.advance().token == Token::TruePredicate { Predicate::True } else { Predicate::False }
    }

    /// A value that nests nothing.
    fn plain_value(&mut self) -> Result<Expression, QueryError> {
        let at = self.current.start;
        match self.current.token {
            Token::Any | Token::All | Token::None => {
                let quantifier = match self.advance().token {
                    Token::Any => Quantifier::Any,
                    Token::All => Quantifier::All,
                    _ => Quantifier::None,
                };
                self.quantified(quantifier, at)
            }
            Token::Symbol(b'{') => self.list(None),
            _ => match self.constant()? {
                Some(constant) => Ok(constant),
                None => self.path_expression(None),
            },
        }
    }

    fn quantified(&mut self, quantifier: Quantifier, at: usize) -> Result<Expression, QueryError> {
        match self.current.token {
            Token::Symbol(b'{') => self.list(Some(quantifier)),
            Token::Argument => {
                let index = self.argument_index()?;
                self.advance();
                Ok(Expression { kind: ExpressionKind::Argument { index, quantifier: Some(quantifier) }, at })
            }
            _ => self.path_expression(Some(quantifier)),
        }
    }

    fn list(&mut self, quantifier: Option<Quantifier>) -> Result<Expression, QueryError> {
        let at = self.current.start;
        self.expect(Token::Symbol(b'{'))?;
        let mut elements = Vec::new();
        if self.current.token != Token::Symbol(b'}') {
            loop {
                match self.constant()? {
                    Some(constant) => elements.push(constant),
                    None if elements.is_empty() => return Err(self.unexpected(&["','", "'}'"])),
                    None => return Err(self.unexpected(&[])),
                }
                if self.current.token != Token::Symbol(b',') {
                    break;
                }
                self.advance();
            }
        }
        if self.current.token != Token::Symbol(b'}') {
            return Err(self.unexpected(&["','", "'}'"]));
        }
        self.advance();
        Ok(Expression { kind: ExpressionKind::List { elements, quantifier }, at })
    }

    fn subquery(&mut self) -> Result<Node, QueryError> {
        let at = self.current.start;
        let (path, variable) = self.subquery_head()?;
        let predicate = Box::new(self.predicate()?);
        for token in [Token::Symbol(b')'), Token::Symbol(b'.'), Token::Count] {
            self.expect(token)?;
        }
        Ok(Node::Value(Expression { kind: ExpressionKind::Subquery { path, variable, predicate }, at }))
    }

    /// `SUBQUERY(path, $x,`
    fn subquery_head(&mut self) -> Result<(Path, String), QueryError> {
        self.advance();
        self.expect(Token::Symbol(b'('))?;
        let path = self.path()?;
        self.expect(Token::Symbol(b','))?;
        let name = self.advance();
        let variable = self.text[name.start..name.end].to_string();
        if name.token != Token::Identifier || !variable.starts_with('$') || variable.len() < 2 {
            return Err(QueryError::new(
                name.start,
                format!(
                    "The subquery variable '{variable}' is invalid. The variable must start with '$' and cannot be \
                     empty; for example '$x'."
                ),
            ));
        }
        self.expect(Token::Symbol(b','))?;
        Ok((path, variable))
    }

    /// A literal or an argument, if one is next.
    fn constant(&mut self) -> Result<Option<Expression>, QueryError> {
        let Lexed { token, start: at, end } = self.current;
        let source = &self.text[at..end];
        let value = match token {
            Token::Symbol(b'+' | b'-') => {
                let number = self.peek();
                let is_number = matches!(
                    number.token,
                    Token::Natural | Token::Hex | Token::Float | Token::Infinity | Token::NotANumber
                );
                if !is_number || number.start != end {
                    return Ok(None);
                }
                self.advance();
                literal::number(number.token, &self.text[number.start..number.end], source)
            }
            Token::Argument => {
                let index = self.argument_index()?;
                self.advance();
                return Ok(Some(Expression { kind: ExpressionKind::Argument { index, quantifier: None }, at }));
            }
            Token::TypedLink => {
                let (class, key) = literal::typed_link(source).map_err(|what| self.invalid(at, &what))?;
                self.advance();
                let kind = ExpressionKind::Literal(Literal::Link { class, key });
                return Ok(Some(Expression { kind, at }));
            }
            Token::Obj if self.peek().token == Token::Symbol(b'(') => return self.object(at).map(Some),
            Token::Identifier if matches!(source, "binary" | "bin") && self.peek().token == Token::Symbol(b'(') => {
                return self.binary(at).map(Some);
            }
            token if is_literal(token) => literal::value(token, source),
            _ => return Ok(None),
        };
        let value = value.map_err(|what| self.invalid(at, &what))?;
        let literal = match (value, self.current.token) {
            (Value::Double(value), Token::Natural | Token::Float) => {
                Literal::Number { value, digits: self.text[at..self.current.end].trim_end_matches('f').to_string() }
            }
            (value, _) => Literal::Value(value),
        };
        self.advance();
        Ok(Some(Expression { kind: ExpressionKind::Literal(literal), at }))
    }

    /// `obj('Class', primary key)`
    fn object(&mut self, at: usize) -> Result<Expression, QueryError> {
        self.advance();
        self.expect(Token::Symbol(b'('))?;
        let class = match self.string_literal()? {
            Value::String(class) => class,
            _ => return Err(self.unexpected(&["string"])),
        };
        self.expect(Token::Symbol(b','))?;
        let is_key = !matches!(self.current.token, Token::Obj | Token::TypedLink | Token::Link);
        let key = match self.constant()? {
            Some(key) if is_key => Box::new(key),
            _ => return Err(self.unexpected(&[])),
        };
        self.expect(Token::Symbol(b')'))?;
        Ok(Expression { kind: ExpressionKind::Literal(Literal::Object { class, key }), at })
    }

    /// `binary('text')` or `binary(B64"…")`
    fn binary(&mut self, at: usize) -> Result<Expression, QueryError> {
        self.advance();
        self.expect(Token::Symbol(b'('))?;
        let bytes = match self.string_literal()? {
            Value::String(text) => text.into_bytes(),
            Value::Data(bytes) => bytes,
            _ => return Err(self.unexpected(&["string"])),
        };
        self.expect(Token::Symbol(b')'))?;
        Ok(Expression { kind: ExpressionKind::Literal(Literal::Value(Value::Data(bytes))), at })
    }

    fn string_literal(&mut self) -> Result<Value, QueryError> {
        let Lexed { token, start, end } = self.current;
        if !matches!(token, Token::String | Token::Base64) {
            return Err(self.unexpected(&["string"]));
        }
        let value = literal::value(token, &self.text[start..end]).map_err(|what| self.invalid(start, &what))?;
        self.advance();
        Ok(value)
    }

    fn path_expression(&mut self, quantifier: Option<Quantifier>) -> Result<Expression, QueryError> {
        let path = self.path()?;
        let at = path.at;
        Ok(Expression { kind: ExpressionKind::Path { path, quantifier }, at })
    }

    pub(super) fn argument_index(&self) -> Result<usize, QueryError> {
        let Lexed { start, end, .. } = self.current;
        let digits = self.text[start..end].trim_start_matches(['$', 'K']);
        digits.parse().map_err(|_| self.invalid(start, "argument number out of range"))
    }

    /// Steps to the next token and gives the one before.
    pub(super) fn advance(&mut self) -> Lexed {
        let passed = self.current;
        self.current = next_token(self.text, passed.end);
        passed
    }

    pub(super) fn peek(&self) -> Lexed {
        next_token(self.text, self.current.end)
    }

    pub(super) fn expect(&mut self, token: Token) -> Result<Lexed, QueryError> {
        if self.current.token == token { Ok(self.advance()) } else { Err(self.unexpected(&[token.name()])) }
    }

    pub(super) fn unexpected(&self, expecting: &[&str]) -> QueryError {
        self.unexpected_at(self.current, expecting)
    }

    pub(super) fn unexpected_at(&self, found: Lexed, expecting: &[&str]) -> QueryError {
        let what = if found.token == Token::Invalid {
            let first = self.text[found.start..].chars().next().unwrap_or(' ');
            format!("invalid character: {first}")
        } else {
            let expecting =
                if expecting.is_empty() { String::new() } else { format!(", expecting {}", expecting.join(" or ")) };
            let is_signed = matches!(found.token, Token::Symbol(b'+' | b'-'))
                && self.text.as_bytes().get(found.end).is_some_and(u8::is_ascii_digit);
            let name = if is_signed { "number" } else { found.token.name() };
            format!("syntax error, unexpected {name}{expecting}")
        };
        QueryError::syntax(self.text, found.start, &what)
    }

    pub(super) fn invalid(&self, at: usize, what: &str) -> QueryError {
        QueryError::syntax(self.text, at, what)
    }
}

fn is_literal(token: Token) -> bool {
    matches!(
        token,
        Token::True
            | Token::False
            | Token::Null
            | Token::Natural
            | Token::Hex
            | Token::Float
            | Token::Infinity
            | Token::NotANumber
            | Token::Date
            | Token::Uuid
            | Token::ObjectId
            | Token::Link
            | Token::Base64
            | Token::String
    )
}

fn comparison(token: Token) -> Option<Operator> {
    Some(match token {
        Token::Equal => Operator::Equal,
        Token::NotEqual => Operator::NotEqual,
        Token::Less => Operator::Less,
        Token::LessEqual => Operator::LessEqual,
        Token::Greater => Operator::Greater,
        Token::GreaterEqual => Operator::GreaterEqual,
        Token::In => Operator::In,
        Token::BeginsWith => Operator::BeginsWith,
        Token::EndsWith => Operator::EndsWith,
        Token::Contains => Operator::Contains,
        Token::Like => Operator::Like,
        Token::Text => Operator::Text,
        _ => return None,
    })
}

/// The strength of operands, for readers of the table above.
const _: () = assert!(PRODUCT + 1 == OPERAND);
