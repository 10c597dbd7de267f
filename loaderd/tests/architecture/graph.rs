//! The graph of a crate's files: which file uses what another one defines.
//!
//! - Files are found by the `mod` lines, from `lib.rs` on. What is for tests (`#[cfg(test)]`) is left out.
//! - A name is followed to the file that defines it: through modules, and through `use` lines that bring it into a module.
//!   So `crate::plan::Slot`, which `plan/mod.rs` re-exports, is a use of `plan/slot.rs`, and so is `super::Slot` there.
//! - A `use` of a module is none of its file; the names that are then taken from it are.
//! - A parent that re-exports a child's names uses the child. A `mod` line uses nothing.
//!
//! Methods are not followed: a file can only call them on a value of a type that it or another file names.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Item, ItemMod, ItemUse, Macro, Meta, MetaList, UseTree, Visibility,
    visit::{self, Visit},
};

/// The most `use` lines that a name is followed through; more would be a circle of them.
const MOST_HOPS: usize = 16;

/// A path in the code, by its segments.
type Segments = Vec<String>;

/// The module that a path leads to, or the file of the item that it does.
enum Target<'a> {
    Module(&'a Module),
    Item(&'a Path),
}

/// A module: a file, or an inline part of one.
struct Module {
    file: PathBuf,
    children: BTreeSet<String>,
    /// Names that `use` lines bring in.
    imports: BTreeMap<String, Segments>,
    globs: Vec<Segments>,
    /// Other paths of two segments and more.
    mentions: BTreeSet<Segments>,
}

/// The modules of a crate by their paths; the crate's root has none.
pub(crate) struct Graph(BTreeMap<Segments, Module>);

impl Graph {
    /// Of the files below a crate's `src`, by their paths there.
    pub(crate) fn of(files: &BTreeMap<PathBuf, String>) -> Self {
        let mut graph = Self(BTreeMap::new());
        graph.add(files, Path::new("lib.rs"), Vec::new());
        graph
    }

    fn add(&mut self, files: &BTreeMap<PathBuf, String>, file: &Path, path: Segments) {
        let parsed = syn::parse_file(&files[file]).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut reader = Reader::default();
        reader.visit_file(&parsed);
        let owns_folder = file.ends_with("lib.rs") || file.ends_with("mod.rs");
        let folder = if owns_folder { file.with_file_name("") } else { file.with_extension("") };
        let modules = reader.modules.into_iter().map(|(below, module)| ([path.clone(), below].concat(), module));
        self.0.extend(modules.map(|(path, module)| (path, Module { file: file.to_owned(), ..module })));
        for name in reader.files {
            let places = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
            let child = places.iter().find(|place| files.contains_key(*place));
            let child = child.unwrap_or_else(|| panic!("{}: there is no file of `mod {name}`", file.display()));
            self.add(files, child, [path.clone(), vec![name]].concat());
        }
    }

    /// Which files use which, each with one of the paths by which it does.
    pub(crate) fn edges(&self) -> BTreeMap<(&Path, &Path), String> {
        let mut edges = BTreeMap::new();
        for (path, module) in &self.0 {
            let paths = module.imports.values().chain(&module.mentions);
            let named = paths.filter_map(|used| match self.resolve(path, used, MOST_HOPS)? {
                Target::Item(file) => Some((file, used)),
                Target::Module(_) => None,
            });
            let globs = module.globs.iter().filter_map(|used| match self.resolve(path, used, MOST_HOPS)? {
                Target::Item(file) => Some((file, used)),
                Target::Module(module) => Some((&*module.file, used)),
            });
            for (file, used) in named.chain(globs).filter(|(file, _)| *file != module.file) {
                edges.entry((&*module.file, file)).or_insert_with(|| used.join("::"));
            }
        }
        edges
    }

    /// The circles: each all files that use one another, directly or by way of others.
    pub(crate) fn circles(&self) -> Vec<BTreeSet<&Path>> {
        let mut next: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
        for (from, to) in self.edges().into_keys() {
            next.entry(from).or_default().insert(to);
        }
        let reached: BTreeMap<_, _> = next.keys().map(|file| (*file, reach(&next, file))).collect();
        let mutual = |a: &Path, b: &Path| reached[a].contains(b) && reached.get(b).is_some_and(|from| from.contains(a));
        let in_circles = next.keys().filter(|file| mutual(file, file));
        let circles: BTreeSet<BTreeSet<_>> =
            in_circles.map(|file| next.keys().copied().filter(|other| mutual(file, other)).collect()).collect();
        circles.into_iter().collect()
    }

    /// What `segments` leads to when they stand in the module at `from`; none outside of the crate.
    fn resolve(&self, from: &[String], segments: &[String], hops: usize) -> Option<Target<'_>> {
        let first = segments.first()?;
        match first.as_str() {
            "crate" => self.walk(Vec::new(), &segments[1..], hops),
            "self" => self.walk(from.to_owned(), &segments[1..], hops),
            "super" => {
                let ups = segments.iter().take_while(|segment| *segment == "super").count();
                self.walk(from[..from.len().checked_sub(ups)?].to_owned(), &segments[ups..], hops)
            }
            _ => {
                let module = self.0.get(from)?;
                let known = module.children.contains(first) || module.imports.contains_key(first);
                known.then(|| self.walk(from.to_owned(), segments, hops))?
            }
        }
    }

    /// What `rest` leads to from the module at `path`.
    fn walk(&self, mut path: Segments, rest: &[String], hops: usize) -> Option<Target<'_>> {
        let module = self.0.get(&path)?;
        let Some(name) = rest.first() else { return Some(Target::Module(module)) };
        if module.children.contains(name) {
            path.push(name.clone());
            return self.walk(path, &rest[1..], hops);
        }
        if let Some(import) = module.imports.get(name) {
            return self.resolve(&path, &[import, &rest[1..]].concat(), hops.checked_sub(1)?);
        }
        Some(Target::Item(&module.file))
    }
}

/// All that can be reached from `file`, which is not part of it by itself.
fn reach<'a>(next: &BTreeMap<&'a Path, BTreeSet<&'a Path>>, file: &'a Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        open.extend(next.get(file).into_iter().flatten().copied().filter(|file| reached.insert(*file)));
    }
    reached
}

/// Takes a file apart.
#[derive(Default)]
struct Reader {
    /// The inline module that is being read; empty: the file's own.
    path: Segments,
    modules: BTreeMap<Segments, Module>,
    /// The modules that have files of their own.
    files: Vec<String>,
}

impl Reader {
    fn module(&mut self) -> &mut Module {
        let empty = || Module {
            file: PathBuf::new(),
            children: BTreeSet::new(),
            imports: BTreeMap::new(),
            globs: Vec::new(),
            mentions: BTreeSet::new(),
        };
        self.modules.entry(self.path.clone()).or_insert_with(empty)
    }

    fn import(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &dyn ToString| [before, &[name.to_string()]].concat();
        let (name, path) = match tree {
            UseTree::Path(path) => return self.import(&with(&path.ident), &path.tree),
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.import(before, tree)),
            UseTree::Glob(_) => return self.module().globs.push(before.to_owned()),
            UseTree::Name(name) => (name.ident.to_string(), with(&name.ident)),
            UseTree::Rename(rename) => (rename.rename.to_string(), with(&rename.ident)),
        };
        // `use a::b::{self}` brings in `b`.
        let (name, path) = match before.last() {
            Some(last) if path.last().is_some_and(|name| name == "self") => {
                (if name == "self" { last.clone() } else { name }, before.to_owned())
            }
            _ => (name, path),
        };
        // Names that are not to be used by name must not hide one another.
        let name = if name == "_" { path.join("::") } else { name };
        self.module().imports.insert(name, path);
    }

    /// Paths in the arguments of macros, which are no Rust before the macro has seen them.
    fn scan(&mut self, tokens: &str) {
        let tokens = tokens.replace(" :: ", "::");
        let words = tokens.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let paths = words.map(|word| word.split("::").map(str::to_owned).collect::<Segments>());
        self.module().mentions.extend(paths.filter(|path| path.len() > 1 && path.iter().all(|name| is_name(name))));
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && !text.contains(':')
}

/// Whether something is there in tests alone.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => {
            let tokens = list.tokens.to_string();
            list.path.is_ident("cfg") && tokens.contains("test") && !tokens.starts_with("not")
        }
        Meta::Path(_) | Meta::NameValue(_) => false,
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "syn may add kinds of items; those left out have no paths worth skipping"
)]
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_file(&mut self, file: &'ast syn::File) {
        self.module();
        visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let name = item.ident.to_string();
        self.module().children.insert(name.clone());
        match &item.content {
            None => self.files.push(name),
            Some((_, items)) => {
                self.path.push(name);
                self.module();
                items.iter().for_each(|item| self.visit_item(item));
                self.path.pop();
            }
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 && path.leading_colon.is_none() {
            self.module().mentions.insert(segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _visibility: &'ast Visibility) {}

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.scan(&mac.tokens.to_string());
        visit::visit_macro(self, mac);
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.scan(&list.tokens.to_string());
        visit::visit_meta_list(self, list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(named: &[(&str, &str)]) -> BTreeMap<PathBuf, String> {
        named.iter().map(|(name, text)| (PathBuf::from(name), (*text).to_owned())).collect()
    }

    /// A crate in which the file `user.rs` has `text`, and `a`, `b` and `c` define something.
    fn used_by(text: &str) -> Vec<String> {
        let files = files(&[
            ("lib.rs", "mod a; mod user; pub use a::Deep; pub const ROOT: u8 = 0;"),
            ("user.rs", text),
            ("user/own.rs", "pub struct Own;"),
            ("a/mod.rs", "mod b; mod c; pub use self::b::Deep; pub use c::{self as see, *}; pub struct Top;"),
            ("a/b.rs", "pub struct Deep; pub mod inline { pub struct In; }"),
            ("a/c.rs", "pub struct Sea;"),
        ]);
        let graph = Graph::of(&files);
        let edges = graph.edges().into_keys().filter(|(from, _)| from.ends_with("user.rs"));
        edges.map(|(_, to)| to.display().to_string()).collect()
    }

    #[test]
    fn names_lead_to_the_files_that_define_them() {
        for (text, expected) in [
            ("use std::fmt; use serde::Serialize; fn f() { fmt::Debug; Vec::<u8>::new(); }", &[][..]),
            ("use crate::a::Top;", &["a/mod.rs"]),
            ("use crate::a::Deep;", &["a/b.rs"]),
            ("use crate::Deep;", &["a/b.rs"]),
            ("use super::{Deep, ROOT};", &["a/b.rs", "lib.rs"]),
            ("use crate::{a::{b::inline::In, see::Sea}};", &["a/b.rs", "a/c.rs"]),
            ("pub use crate::a::Top as Other;", &["a/mod.rs"]),
            // A module by itself is no use of its file; a name from it is.
            ("use crate::a;", &[]),
            ("use crate::a::{self, b}; fn f(x: &a::Top) { b::Deep; }", &["a/b.rs", "a/mod.rs"]),
            ("use crate::a::b as other; fn f(x: other::inline::In) {}", &["a/b.rs"]),
            ("use crate::a::c::*;", &["a/c.rs"]),
            ("fn f() -> crate::a::Deep { todo() }", &["a/b.rs"]),
            ("fn f() { println!(\"{}\", crate::a::b::Deep) }", &["a/b.rs"]),
            ("#[derive(Error)] #[error(\"{}\", crate::a::c::name())] struct S;", &["a/c.rs"]),
            // A child, through its `mod` line alone and by name.
            ("mod own;", &[]),
            ("mod own; use own::Own;", &["user/own.rs"]),
            ("mod own; fn f() { own::Own; }", &["user/own.rs"]),
            // What is for tests does not count.
            ("#[cfg(test)] mod tests { use crate::a::Top; }", &[]),
            ("#[cfg(any(test, fuzzing))] use crate::a::Top;", &[]),
            ("#[cfg(not(test))] use crate::a::Top;", &["a/mod.rs"]),
            ("mod inline { use super::super::a::Top; }", &["a/mod.rs"]),
        ] {
            assert_eq!(used_by(text), expected, "{text}");
        }
    }

    #[test]
    fn circles_are_found_whole_and_lines_are_none() {
        let files = files(&[
            ("lib.rs", "mod a; mod b; mod c; mod d; mod p; pub use p::P;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C; use crate::d::D; pub struct B;"),
            ("c.rs", "use crate::{a, d::D}; fn f() { a::go(); }"),
            ("d.rs", "pub struct D;"),
            ("p/mod.rs", "mod q; mod r; pub use q::Q; pub struct P;"),
            ("p/q.rs", "use super::r::R; pub struct Q;"),
            ("p/r.rs", "use super::P; pub struct R;"),
        ]);
        let graph = Graph::of(&files);
        let circles: Vec<Vec<_>> =
            graph.circles().into_iter().map(|circle| circle.into_iter().filter_map(Path::to_str).collect()).collect();
        assert_eq!(circles, [vec!["a.rs", "b.rs", "c.rs"], vec!["p/mod.rs", "p/q.rs", "p/r.rs"]]);
    }
}
