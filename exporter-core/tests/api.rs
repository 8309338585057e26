//! The public API as a golden file: `tests/golden/api.rs` has what users of the crate can name. A
//! change to it is a change for them. `UPDATE=1` rewrites it.
//!
//! The source is read, not compiled: what macros make is not in it.

#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that reads the source; a panic is how it fails"
)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use exporter_core::testing;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, Type, UseTree, Visibility};

#[test]
fn the_public_api_is_the_golden_one() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut krate = Crate::default();
    krate.load(&source.join("src"), &source.join("src/lib.rs"), Vec::new());
    let items = krate.public(&[]);
    let mut file: syn::File = syn::parse_quote!(#(#items)*);
    Outline.visit_file_mut(&mut file);
    testing::golden(source.join("tests/golden/api.rs"), &prettyplease::unparse(&file));
}

type ModulePath = Vec<String>;

/// All modules, by their paths.
#[derive(Default)]
struct Crate {
    modules: HashMap<ModulePath, Vec<Item>>,
    paths: Vec<ModulePath>,
}

impl Crate {
    /// Reads a module from a file, and the modules below it. `children` is their folder.
    fn load(&mut self, children: &Path, file: &Path, path: ModulePath) {
        let text = fs::read_to_string(file).unwrap();
        let items = syn::parse_file(&text).unwrap().items;
        self.add(children, items, path);
    }

    fn add(&mut self, children: &Path, mut items: Vec<Item>, path: ModulePath) {
        items.retain(|item| !is_for_tests(attributes(item)));
        for item in &items {
            if let Item::Mod(module) = item {
                let name = module.ident.to_string();
                let below = children.join(&name);
                let path = [&path[..], &[name]].concat();
                match &module.content {
                    Some((_, items)) => self.add(&below, items.clone(), path),
                    None => self.load(&below, &below.with_extension("rs"), path),
                }
            }
        }
        self.paths.push(path.clone());
        self.modules.insert(path, items);
    }

    /// The public items of a module, those that it re-exports among them.
    fn public(&self, module: &[String]) -> Vec<Item> {
        let mut out = Vec::new();
        for item in &self.modules[module] {
            match item {
                Item::Use(import) if is_public(&import.vis) => {
                    for (path, name) in leaves(&import.tree) {
                        self.reexport(module, &path, &name, &import.attrs, &mut out);
                    }
                }
                item if visibility(item).is_some_and(is_public) => {
                    let name = name(item).unwrap();
                    self.emit(module, &name, &name, attributes(item), &mut out);
                }
                _ => {}
            }
        }
        out
    }

    fn reexport(
        &self,
        module: &[String],
        path: &[String],
        name: &str,
        attrs: &[Attribute],
        out: &mut Vec<Item>,
    ) {
        if let Some((module, original)) = self.resolve(module, path) {
            self.emit(&module, &original, name, attrs, out);
            return;
        }
        let path: syn::Path = syn::parse_str(&path.join("::")).unwrap();
        let name = quote::format_ident!("{name}");
        out.push(if path.segments.last().unwrap().ident == name {
            syn::parse_quote!(#(#attrs)* pub use #path;)
        } else {
            syn::parse_quote!(#(#attrs)* pub use #path as #name;)
        });
    }

    /// Adds an item with all that is implemented for it.
    fn emit(
        &self,
        module: &[String],
        original: &str,
        name: &str,
        attrs: &[Attribute],
        out: &mut Vec<Item>,
    ) {
        for item in
            self.modules[module].iter().filter(|item| self::name(item).as_deref() == Some(original))
        {
            if let Item::Mod(_) = item {
                let name = quote::format_ident!("{name}");
                let items = self.public(&[module, &[original.to_owned()]].concat());
                out.push(syn::parse_quote!(#(#attrs)* pub mod #name { #(#items)* }));
                continue;
            }
            out.push(item.clone());
            let id = (module.to_vec(), original.to_owned());
            for path in &self.paths {
                for item in &self.modules[path] {
                    if let Item::Impl(block) = item
                        && self.subject(path, block).as_ref() == Some(&id)
                    {
                        out.extend(outline(block).map(Item::Impl));
                    }
                }
            }
        }
    }

    /// The item of this crate that an implementation is listed with: the type, or the trait if the
    /// type is not of this crate.
    fn subject(&self, module: &[String], block: &ItemImpl) -> Option<(ModulePath, String)> {
        if let Some((path, _)) = &block.trait_ {
            if path.is_ident("Sealed") {
                return None;
            }
            let local = self.resolve(module, &segments(path));
            if let Some((path, name)) = &local
                && self.modules[path].iter().any(|item| {
                    self::name(item).as_ref() == Some(name)
                        && !visibility(item).is_some_and(is_public)
                })
            {
                return None;
            }
            return self.of_type(module, &block.self_ty).or(local);
        }
        self.of_type(module, &block.self_ty)
    }

    fn of_type(&self, module: &[String], subject: &Type) -> Option<(ModulePath, String)> {
        match subject {
            Type::Path(subject) => self.resolve(module, &segments(&subject.path)),
            _ => None,
        }
    }

    /// The module where an item is defined, and its name there. `None` if it is not of this crate.
    fn resolve(&self, module: &[String], path: &[String]) -> Option<(ModulePath, String)> {
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module.split_last()?.1.to_vec(),
            name => {
                let (module, name) = self.lookup(module, name)?;
                if rest.is_empty() {
                    return Some((module, name));
                }
                [module, vec![name]].concat()
            }
        };
        self.modules.contains_key(&start).then(|| self.resolve(&start, rest)).flatten()
    }

    fn lookup(&self, module: &[String], wanted: &str) -> Option<(ModulePath, String)> {
        let items = self.modules.get(module)?;
        if items.iter().any(|item| name(item).as_deref() == Some(wanted)) {
            return Some((module.to_vec(), wanted.to_owned()));
        }
        items.iter().find_map(|item| match item {
            Item::Use(import) => {
                let (path, _) =
                    leaves(&import.tree).into_iter().find(|(_, name)| name == wanted)?;
                // A path may begin with a crate of the same name.
                (path[0] != wanted).then(|| self.resolve(module, &path)).flatten()
            }
            _ => None,
        })
    }
}

/// An implementation with what users can call. `None` if there is nothing.
fn outline(block: &ItemImpl) -> Option<ItemImpl> {
    let mut block = block.clone();
    let is_inherent = block.trait_.is_none();
    block.items.retain(|item| match item {
        ImplItem::Fn(function) => is_inherent && is_public(&function.vis),
        ImplItem::Const(constant) => is_inherent && is_public(&constant.vis),
        ImplItem::Type(_) => true,
        _ => false,
    });
    block.attrs.clear();
    (!is_inherent || !block.items.is_empty()).then_some(block)
}

/// Removes documentation, bodies and private fields.
struct Outline;

impl VisitMut for Outline {
    fn visit_attributes_mut(&mut self, attrs: &mut Vec<Attribute>) {
        let kept = ["cfg", "derive", "must_use", "non_exhaustive"];
        attrs.retain(|attr| kept.iter().any(|name| attr.path().is_ident(name)));
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.clear();
    }

    fn visit_fields_mut(&mut self, fields: &mut Fields) {
        match fields {
            Fields::Named(named) => {
                let all = named.named.len();
                named.named =
                    named.named.clone().into_iter().filter(|field| is_public(&field.vis)).collect();
                if named.named.len() < all {
                    named.named.push(syn::parse_quote!(private: _));
                }
            }
            Fields::Unnamed(unnamed) => {
                for field in unnamed.unnamed.iter_mut().filter(|field| !is_public(&field.vis)) {
                    field.ty = syn::parse_quote!(_);
                }
            }
            Fields::Unit => {}
        }
        visit_mut::visit_fields_mut(self, fields);
    }

    /// The fields of variants are public.
    fn visit_variant_mut(&mut self, variant: &mut syn::Variant) {
        self.visit_attributes_mut(&mut variant.attrs);
        for field in &mut variant.fields {
            self.visit_attributes_mut(&mut field.attrs);
        }
    }
}

fn is_for_tests(attrs: &[Attribute]) -> bool {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).any(|attr| {
        let condition = quote::quote!(#attr).to_string();
        condition.contains("(test") || condition.contains("doctest")
    })
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// The paths of a use declaration, each with the name that it has here.
fn leaves(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let below = leaves(&path.tree).into_iter().map(|(rest, name)| match &*name {
                "self" => (vec![first.clone()], first.clone()),
                _ => ([vec![first.clone()], rest].concat(), name),
            });
            below.collect()
        }
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(name) => vec![(vec![name.ident.to_string()], name.rename.to_string())],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
        UseTree::Glob(_) => Vec::new(),
    }
}

/// Calls `$body` with the parts of an item that has a name.
macro_rules! parts {
    ($item:expr, $found:ident => $body:expr, $($variant:ident)+) => {
        match $item {
            $(Item::$variant($found) => Some($body),)+
            _ => None,
        }
    };
}

fn visibility(item: &Item) -> Option<&Visibility> {
    parts!(item, found => &found.vis, Const Enum Mod Static Struct Trait Type)
        .or(if let Item::Fn(function) = item { Some(&function.vis) } else { None })
}

fn name(item: &Item) -> Option<String> {
    parts!(item, found => found.ident.to_string(), Const Enum Mod Static Struct Trait Type)
        .or(if let Item::Fn(function) = item { Some(function.sig.ident.to_string()) } else { None })
}

fn attributes(item: &Item) -> &[Attribute] {
    parts!(item, found => &found.attrs[..], Const Enum Fn Impl Mod Static Struct Trait Type Use Macro)
        .unwrap_or_default()
}
