//! SORT, DISTINCT and LIMIT.

use super::ast::{self, Suffix};
use super::compile::Compiler;
use super::error::QueryError;
use super::plan::{End, Path, Stage};
use super::sort::{self, Refusal};
use crate::ids::ClassIndex;
use crate::schema::Collection;

impl Compiler<'_> {
    pub(super) fn stage(&mut self, suffix: &Suffix, class: ClassIndex) -> Result<Stage, QueryError> {
        Ok(match suffix {
            Suffix::Sort(keys) => {
                let paths =
                    keys.iter().map(|(path, direction)| Ok((self.suffix_path(path, class, "sort")?, *direction)));
                Stage::Sort(paths.collect::<Result<_, QueryError>>()?)
            }
            Suffix::Distinct(paths) => {
                let paths = paths.iter().map(|path| self.suffix_path(path, class, "distinct"));
                Stage::Distinct(paths.collect::<Result<_, _>>()?)
            }
            Suffix::Limit(limit) => Stage::Limit(*limit),
        })
    }

    fn suffix_path(&mut self, path: &ast::SortPath, class: ClassIndex, clause: &str) -> Result<Path, QueryError> {
        let steps = self.expand(&path.steps)?;
        let walked = sort::key_path(self.named, class, &steps).map_err(|refusal| {
            let message = match refusal {
                Refusal::Missing { class, property } => {
                    format!("No property '{property}' found on object type '{class}' specified in '{clause}' clause")
                }
                Refusal::NotFinal { class, property, collection: Collection::None, .. } => {
                    format!("Property '{class}.{property}' is not an object reference")
                }
                Refusal::NotFinal { .. } => "All but last property must be a link".to_string(),
                Refusal::NoIndex => "Cannot sort on a collection property".to_string(),
            };
            QueryError::new(path.at, message)
        })?;
        if matches!(walked.path.end, End::Collection(_)) {
            return Err(QueryError::new(path.at, "Cannot sort on a collection property"));
        }
        self.spelled.extend(walked.spelled);
        self.reads.add(class, &walked.path);
        Ok(walked.path)
    }
}
