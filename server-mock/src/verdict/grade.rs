//! Marks for aspects, and the grade they make.
//!
//! | Grade | When |
//! |---|---|
//! | A | nothing was wrong |
//! | B | one or two aspects have the mark `minor` |
//! | C | three or more are `minor`, or one is `major` |
//! | D | two are `major` |
//! | F | three or more are `major`, or one is `critical` |

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// How one aspect came out; the worst that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Mark {
    /// Nothing that arrived says anything about it.
    Unseen,
    /// It was called for and done.
    Kept,
    /// It costs the client or the server something.
    Minor,
    /// It breaks what a specification asks for, or harms the server.
    Major,
    /// It does damage: something happened twice.
    Critical,
}

impl Mark {
    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Kept => "kept",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

/// The grade of a call or a session, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Nothing was wrong.
    A,
    /// Little.
    B,
    /// One thing that matters, or several little ones.
    C,
    /// Two things that matter.
    D,
    /// Damage, or much that matters.
    F,
}

impl Grade {
    /// Of the marks of all aspects.
    pub(super) fn of(marks: impl Iterator<Item = Mark>) -> Self {
        let (mut minor, mut major) = (0, 0);
        for mark in marks {
            match mark {
                Mark::Unseen | Mark::Kept => {}
                Mark::Minor => minor += 1,
                Mark::Major => major += 1,
                Mark::Critical => return Self::F,
            }
        }
        match (major, minor) {
            (0, 0) => Self::A,
            (0, 1 | 2) => Self::B,
            (0, _) | (1, _) => Self::C,
            (2, _) => Self::D,
            _ => Self::F,
        }
    }

    /// The letter.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::F => "F",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letter())
    }
}

impl Serialize for Grade {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.letter())
    }
}

impl FromStr for Grade {
    type Err = &'static str;

    /// Reads the letter, in either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let grades = [Self::A, Self::B, Self::C, Self::D, Self::F];
        let found = grades
            .into_iter()
            .find(|grade| grade.letter().eq_ignore_ascii_case(text));
        found.ok_or("a grade is A, B, C, D or F")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_follow_the_table() {
        use Mark::{Critical, Kept, Major, Minor, Unseen};
        let of = |marks: &[Mark]| Grade::of(marks.iter().copied());
        assert_eq!(of(&[Kept, Unseen]), Grade::A);
        assert_eq!(of(&[Minor, Kept, Minor]), Grade::B);
        assert_eq!(of(&[Minor, Minor, Minor]), Grade::C);
        assert_eq!(of(&[Major, Minor]), Grade::C);
        assert_eq!(of(&[Major, Major]), Grade::D);
        assert_eq!(of(&[Major, Major, Major]), Grade::F);
        assert_eq!(of(&[Critical]), Grade::F);
        assert_eq!("b".parse(), Ok(Grade::B));
        assert!(Grade::A < Grade::B && "E".parse::<Grade>().is_err());
    }
}
