//! The addresses of the page, and which screen each shows.

use stackseal_model::name::StackName;

/// A screen with its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/stacks/{name}`: the builder.
    Builder(StackName),
    /// Anything else.
    NotFound,
    /// `/settings`
    Settings,
    /// `/signin`; the token stands in the fragment.
    SignIn,
    /// `/`: the list of stacks.
    Stacks,
}

impl Route {
    /// Reads the path part of an address.
    pub fn parse(path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        match path.strip_prefix("/stacks/") {
            Some(name) => StackName::parse(name).map_or(Self::NotFound, Self::Builder),
            None => match path {
                "" => Self::Stacks,
                "/settings" => Self::Settings,
                "/signin" => Self::SignIn,
                _ => Self::NotFound,
            },
        }
    }

    /// The path part of its address.
    pub fn path(&self) -> String {
        match self {
            Self::Builder(name) => format!("/stacks/{name}"),
            Self::NotFound | Self::Stacks => "/".to_owned(),
            Self::Settings => "/settings".to_owned(),
            Self::SignIn => "/signin".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_leads_back_to_its_screen() {
        let builder = Route::Builder(StackName::parse("shop-db").unwrap());
        for route in [builder, Route::Settings, Route::SignIn, Route::Stacks] {
            assert_eq!(Route::parse(&route.path()), route);
        }
        assert_eq!(Route::parse("/settings/"), Route::Settings);
    }

    #[test]
    fn what_is_no_stack_name_leads_nowhere() {
        for path in [
            "/stacks/",
            "/stacks/A",
            "/stacks/a/b",
            "/stacks/..",
            "/stacks",
            "/x",
        ] {
            assert_eq!(Route::parse(path), Route::NotFound, "{path}");
        }
    }
}
