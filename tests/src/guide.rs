//! The pages that users read, README.md and docs/*.md, taken apart: code blocks, code spans, links, headings.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::root;

/// A page in Markdown.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it is, from the root of the repository.
    pub path: PathBuf,
    /// The page's Markdown text.
    pub text: String,
}

/// A fenced code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The info string after the opening fence.
    pub language: String,
    /// The lines between the fences.
    pub text: String,
}

impl Page {
    /// Reads a page; the path is from the root of the repository.
    ///
    /// # Panics
    /// When it does not exist.
    pub fn read(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let text = fs::read_to_string(root().join(path));
        Self { path: path.to_owned(), text: text.unwrap_or_else(|error| panic!("{}: {error}", path.display())) }
    }

    /// The README, the security policy and all pages of docs/.
    ///
    /// # Panics
    /// When there is no docs/.
    pub fn all() -> Vec<Self> {
        let pages = fs::read_dir(root().join("docs")).expect("there is a guide").flatten();
        let pages = pages.map(|entry| Path::new("docs").join(entry.file_name()));
        let mut pages: Vec<_> = pages.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
        pages.sort();
        ["README.md".into(), "SECURITY.md".into()].into_iter().chain(pages).map(Self::read).collect()
    }

    /// Its code blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines();
        while let Some(language) = lines.by_ref().find_map(|line| line.strip_prefix("```")) {
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block { language: language.to_owned(), text: text.join("\n") });
        }
        blocks
    }

    /// Its code blocks in a language.
    pub fn blocks_in(&self, language: &str) -> Vec<String> {
        let blocks = self.blocks().into_iter().filter(|block| block.language == language);
        blocks.map(|block| block.text).collect()
    }

    /// Its lines outside of code blocks.
    fn prose(&self) -> Vec<&str> {
        let mut fenced = false;
        let outside = |line: &&str| {
            let fence = line.starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        };
        self.text.lines().filter(outside).collect()
    }

    /// The `code spans` of its prose.
    ///
    /// # Panics
    /// When a span does not end on its line.
    pub fn code_spans(&self) -> Vec<&str> {
        let spans = |line: &'_ str| {
            let ticks = line.matches('`').count();
            assert!(ticks.is_multiple_of(2), "{}: a code span is broken: {line}", self.path.display());
        };
        self.prose()
            .into_iter()
            .inspect(|line| spans(line))
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect()
    }

    /// Where its links lead to, but for those to other sites.
    pub fn relative_links(&self) -> Vec<&str> {
        let links = self.prose().into_iter().flat_map(|line| line.split("](").skip(1));
        let targets = links.filter_map(|link| link.split(')').next());
        targets.filter(|target| !target.contains("://")).collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    pub fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose().into_iter().filter(|line| line.starts_with('#'));
        headings.map(|line| slug(line.trim_start_matches('#').trim())).collect()
    }

    /// What is wrong with a relative link of this page, if anything.
    pub fn broken(&self, link: &str) -> Option<String> {
        let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
        let target = if path.is_empty() { self.path.clone() } else { self.folder().join(path) };
        if !root().join(&target).exists() {
            return Some(format!("{}: {} does not exist", self.path.display(), target.display()));
        }
        let anchor = anchor.filter(|anchor| !Self::read(&target).anchors().contains(*anchor))?;
        Some(format!("{}: {} has no heading #{anchor}", self.path.display(), target.display()))
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new(""))
    }
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Page {
        Page { path: "README.md".into(), text: text.to_owned() }
    }

    #[test]
    fn blocks_are_apart_from_prose() {
        let page =
            page("# A page\nsee `this`\n```sh\necho `that`\n```\n[it](docs/x.md#y) and [far](https://example.org)\n");
        assert_eq!(page.blocks(), [Block { language: "sh".to_owned(), text: "echo `that`".to_owned() }]);
        assert_eq!(page.code_spans(), ["this"]);
        assert_eq!(page.relative_links(), ["docs/x.md#y"]);
    }

    #[test]
    fn headings_are_found_by_their_anchors_and_broken_links_are_named() {
        let page = page("## 6. Read `it`, now\n");
        assert!(page.anchors().contains("6-read-it-now"));
        assert_eq!(page.broken("LICENSE"), None);
        assert!(page.broken("nowhere.md").unwrap().contains("nowhere.md does not exist"));
        assert!(page.broken("README.md#no-such-heading").unwrap().contains("#no-such-heading"));
    }
}
