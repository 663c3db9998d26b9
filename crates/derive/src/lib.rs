//! `#[derive(Wire)]`: the table and the two plain functions by which a shape goes over the wire.
//!
//! Owns the order of fields (Candid specification, "Symbolic field ids": by hash) and nothing of
//! the encoding, which is `hatchery-types`' module `wire`. Runs in the compiler; links into nothing.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Ident, Type, parse_quote};

/// Implements `hatchery_types::Wire` for a struct or an enum, as Candid's own derive maps them: a
/// tuple of one is what it holds, a variant without fields is `null`. Names follow
/// `#[serde(rename = "…")]`.
#[proc_macro_derive(Wire, attributes(serde))]
pub fn derive_wire(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    expand(input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

fn expand(mut input: DeriveInput) -> syn::Result<TokenStream> {
    for parameter in &mut input.generics.params {
        if let GenericParam::Type(parameter) = parameter {
            parameter.bounds.push(parse_quote!(::hatchery_types::Wire));
        }
    }
    let body = match &input.data {
        Data::Struct(data) => of_struct(&data.fields)?,
        Data::Enum(data) => of_enum(data)?,
        Data::Union(_) => return Err(Error::new_spanned(&input.ident, "a union has no wire form")),
    };
    let (shape, write, read) = (body.shape, body.write, body.read);
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        impl #generics ::hatchery_types::Wire for #name #arguments #bounds {
            const SHAPE: &'static ::hatchery_types::wire::Shape = #shape;
            fn write(&self, out: &mut ::std::vec::Vec<u8>) { #write }
            fn read(from: &mut ::hatchery_types::wire::Reader<'_>) -> Self { #read }
        }
    })
}

/// What `Wire` consists of.
struct Body {
    /// An expression of type `&'static Shape`.
    shape: TokenStream,
    /// Statements that write `self`.
    write: TokenStream,
    /// Statements that end in `Self`.
    read: TokenStream,
}

fn of_struct(fields: &Fields) -> syn::Result<Body> {
    let parts = Parts::new(fields)?;
    let (pattern, write, read) = (parts.pattern(), parts.write(), parts.read());
    Ok(Body {
        shape: parts.shape(),
        write: quote! { let Self #pattern = self; #write },
        read: quote! { #read Self #pattern },
    })
}

fn of_enum(data: &syn::DataEnum) -> syn::Result<Body> {
    let mut variants = Vec::new();
    for variant in &data.variants {
        let label = name_of(&variant.ident, &variant.attrs)?;
        let parts = Parts::new(&variant.fields)?;
        variants.push((hash(&label), label, &variant.ident, parts));
    }
    variants.sort_by_key(|(id, ..)| *id);
    let (mut shapes, mut writes, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    let last = variants.len().saturating_sub(1);
    for (tag, (id, label, name, parts)) in variants.iter().enumerate() {
        let tag = u8::try_from(tag).ok().filter(|tag| *tag < 128);
        let tag = tag.ok_or_else(|| Error::new_spanned(name, "too many variants"))?;
        let (shape, pattern) = (parts.shape(), parts.pattern());
        let (write, read) = (parts.write(), parts.read());
        shapes.push(
            quote! { ::hatchery_types::wire::Field { id: #id, name: #label, shape: #shape } },
        );
        writes.push(quote! { Self::#name #pattern => { out.push(#tag); #write } });
        let tag = if usize::from(tag) == last {
            quote!(_)
        } else {
            quote!(#tag)
        };
        reads.push(quote! { #tag => { #read Self::#name #pattern } });
    }
    Ok(Body {
        shape: quote! { &::hatchery_types::wire::Shape::Variant(&[#(#shapes),*]) },
        write: quote! { match self { #(#writes)* } },
        read: quote! { match from.tag() { #(#reads)* } },
    })
}

/// The fields of a struct or a variant, in the order of the wire.
struct Parts<'a> {
    fields: Vec<Part<'a>>,
    kind: Kind,
    /// Names in the pattern, in the order of the source, and those of the source.
    names: Vec<Ident>,
    own_names: Vec<Ident>,
}

struct Part<'a> {
    /// Candid id.
    id: u32,
    /// Name on the wire; empty in a tuple.
    label: String,
    /// Name in the pattern.
    name: Ident,
    ty: &'a Type,
}

enum Kind {
    Unit,
    /// A tuple of one: on the wire it is what it holds.
    Wrapper,
    Tuple,
    Named,
}

impl<'a> Parts<'a> {
    fn new(fields: &'a Fields) -> syn::Result<Self> {
        let kind = match fields {
            Fields::Unit => Kind::Unit,
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Kind::Wrapper,
            Fields::Unnamed(_) => Kind::Tuple,
            Fields::Named(_) => Kind::Named,
        };
        let mut parts = Parts {
            fields: Vec::new(),
            kind,
            names: Vec::new(),
            own_names: Vec::new(),
        };
        for (index, field) in fields.iter().enumerate() {
            let (id, label, name) = match &field.ident {
                Some(name) => {
                    let label = name_of(name, &field.attrs)?;
                    (hash(&label), label, format_ident!("field_{name}"))
                }
                None => (index as u32, String::new(), format_ident!("field_{index}")),
            };
            parts.own_names.extend(field.ident.clone());
            parts.names.push(name.clone());
            let ty = &field.ty;
            parts.fields.push(Part {
                id,
                label,
                name,
                ty,
            });
        }
        parts.fields.sort_by_key(|part| part.id);
        Ok(parts)
    }

    fn shape(&self) -> TokenStream {
        let ids = self.fields.iter().map(|part| part.id);
        let labels = self.fields.iter().map(|part| &part.label);
        let types: Vec<_> = self.fields.iter().map(|part| part.ty).collect();
        match self.kind {
            Kind::Unit => quote! { &::hatchery_types::wire::Shape::Null },
            Kind::Wrapper => quote! { #(<#types as ::hatchery_types::Wire>::SHAPE)* },
            Kind::Tuple | Kind::Named => quote! {
                &::hatchery_types::wire::Shape::Record(&[#(::hatchery_types::wire::Field {
                    id: #ids,
                    name: #labels,
                    shape: <#types as ::hatchery_types::Wire>::SHAPE,
                }),*])
            },
        }
    }

    /// What follows the name of the struct or variant, binding every field.
    fn pattern(&self) -> TokenStream {
        let (names, own_names) = (&self.names, &self.own_names);
        match self.kind {
            Kind::Unit => quote!(),
            Kind::Wrapper | Kind::Tuple => quote! { ( #(#names),* ) },
            Kind::Named => quote! { { #(#own_names: #names),* } },
        }
    }

    fn write(&self) -> TokenStream {
        let names = self.fields.iter().map(|part| &part.name);
        quote! { #(::hatchery_types::Wire::write(#names, out);)* }
    }

    fn read(&self) -> TokenStream {
        let names = self.fields.iter().map(|part| &part.name);
        quote! { #(let #names = ::hatchery_types::Wire::read(from);)* }
    }
}

/// The name on the wire.
fn name_of(ident: &Ident, attributes: &[syn::Attribute]) -> syn::Result<String> {
    let mut name = ident.to_string().trim_start_matches("r#").to_owned();
    for attribute in attributes.iter().filter(|it| it.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            let value: syn::LitStr = meta.value()?.parse()?;
            if meta.path.is_ident("rename") {
                name = value.value();
            }
            Ok(())
        })?;
    }
    Ok(name)
}

/// Candid specification, "Symbolic field ids".
fn hash(name: &str) -> u32 {
    name.bytes().fold(0, |hash: u32, byte| {
        hash.wrapping_mul(223).wrapping_add(u32::from(byte))
    })
}
