//! The `ImportCluster` file: what it says, and how a save changes it.
//!
//! Reading goes through a typed view that ignores what it does not know. Changing never re-emits the
//! file: [`edit`] replaces or inserts single lines, found by [`outline`], and proves the result by
//! reading it again. Comments, order and unknown fields survive; a shape that cannot be edited line by
//! line is refused and left alone.

pub(crate) mod edit;
mod emit;
pub(crate) mod outline;

use serde_yaml::Value;
use stackseal_core::Limits;
use stackseal_core::document::{Document, Plain};
use stackseal_model::name::{MemberName, NamespaceName, StackName};
use stackseal_model::stack::{Chart, MemberKind};

use crate::error::{Code, Error};

/// A cluster file as read.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    value: Value,
    stacks: Vec<ClusterStack>,
}

/// A stack of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterStack {
    position: usize,
    /// Its name.
    pub(crate) name: StackName,
    /// What it is for.
    pub(crate) description: String,
    /// Its members that are files of their own, manifests first.
    pub(crate) members: Vec<ClusterMember>,
}

/// A member whose content is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterMember {
    position: usize,
    /// Manifest or add-on.
    pub(crate) kind: MemberKind,
    /// Its name.
    pub(crate) name: MemberName,
    /// Namespace to deploy to.
    pub(crate) namespace: Option<NamespaceName>,
    /// For an add-on, its chart.
    pub(crate) chart: Option<Chart>,
    /// `encrypted_paths`.
    pub(crate) marks: Vec<String>,
    /// Path relative to the cluster file.
    pub(crate) from_file: String,
}

impl Cluster {
    /// Reads the file; `None` is a file that does not exist yet.
    ///
    /// # Errors
    /// `cluster-file-unsupported` when it is no `ImportCluster`, and what parsing finds.
    pub(crate) fn read(bytes: Option<&[u8]>) -> Result<Self, Error> {
        let Some(bytes) = bytes else {
            return Ok(Self {
                value: Value::Null,
                stacks: Vec::new(),
            });
        };
        let document = Document::<Plain>::parse(bytes, &Limits::default())?;
        let value: Value = serde_yaml::from_str(document.text())
            .map_err(|_| unsupported("the file cannot be read as one YAML document"))?;
        if text(&value, "apiVersion") != Some("v1") || text(&value, "kind") != Some("ImportCluster")
        {
            return Err(unsupported(
                "the file is not an ImportCluster of version v1",
            ));
        }
        let stacks = items(value.get("spec").and_then(|spec| spec.get("stacks")))
            .filter_map(|(position, stack)| read_stack(position, stack))
            .collect();
        Ok(Self { value, stacks })
    }

    /// The stacks in file order, as far as their names can be used.
    pub(crate) fn stacks(&self) -> &[ClusterStack] {
        &self.stacks
    }

    /// The stack with this name.
    pub(crate) fn stack(&self, name: &StackName) -> Option<&ClusterStack> {
        self.stacks.iter().find(|stack| stack.name == *name)
    }

    /// The stack that holds a member.
    pub(crate) fn holder(&self, kind: MemberKind, name: &MemberName) -> Option<&ClusterStack> {
        self.stacks
            .iter()
            .find(|stack| stack.member(kind, name).is_some())
    }

    /// Whether a member's name is taken by an entry that is no file (inline, or without a source).
    fn is_taken(&self, kind: MemberKind, name: &MemberName) -> bool {
        items(self.value.get("spec").and_then(|spec| spec.get("stacks")))
            .flat_map(|(_, stack)| items(stack.get(list_key(kind))))
            .any(|(_, member)| text(member, "name") == Some(name.as_str()))
    }
}

impl ClusterStack {
    /// The member of this kind and name.
    pub(crate) fn member(&self, kind: MemberKind, name: &MemberName) -> Option<&ClusterMember> {
        self.members
            .iter()
            .find(|member| member.kind == kind && member.name == *name)
    }
}

/// The error for a cluster file that must be left alone.
fn unsupported(why: &str) -> Error {
    let advice = "write the part concerned in block style, one entry a line, and save again";
    Error::refused(
        Code::ClusterFileUnsupported,
        format!("In the cluster file, {why}; {advice}."),
    )
}

/// The key of the list that holds members of a kind.
fn list_key(kind: MemberKind) -> &'static str {
    match kind {
        MemberKind::Addon => "addons",
        MemberKind::Manifest => "manifests",
    }
}

fn read_stack(position: usize, stack: &Value) -> Option<ClusterStack> {
    let name = StackName::parse(text(stack, "name")?).ok()?;
    let members = [MemberKind::Manifest, MemberKind::Addon]
        .into_iter()
        .flat_map(|kind| items(stack.get(list_key(kind))).map(move |item| (kind, item)))
        .filter_map(|(kind, (position, member))| read_member(position, kind, member))
        .collect();
    let description = text(stack, "description").unwrap_or_default().to_owned();
    Some(ClusterStack {
        position,
        name,
        description,
        members,
    })
}

fn read_member(position: usize, kind: MemberKind, member: &Value) -> Option<ClusterMember> {
    let source = match kind {
        MemberKind::Addon => member.get("configuration")?,
        MemberKind::Manifest => member,
    };
    // inline content wins over a file, so such an entry is not one that a file can change
    if ["manifest", "values"]
        .iter()
        .any(|inline| source.get(inline).is_some())
    {
        return None;
    }
    let chart = (kind == MemberKind::Addon).then(|| Chart {
        name: text(member, "chart_name").unwrap_or_default().to_owned(),
        version: text(member, "chart_version").unwrap_or_default().to_owned(),
        repository_url: address_key(member).1.to_owned(),
    });
    Some(ClusterMember {
        position,
        kind,
        name: MemberName::parse(text(member, "name")?).ok()?,
        namespace: text(member, "namespace").and_then(|n| NamespaceName::parse(n).ok()),
        chart,
        marks: marks(source),
        from_file: text(source, "from_file")?.to_owned(),
    })
}

/// The key under which an add-on's repository stands, with its value.
fn address_key(member: &Value) -> (&'static str, &str) {
    let keys = ["repository_url", "registry_url"];
    let found = keys
        .into_iter()
        .find_map(|key| text(member, key).map(|value| (key, value)));
    found.unwrap_or(("repository_url", ""))
}

fn marks(source: &Value) -> Vec<String> {
    items(source.get("encrypted_paths"))
        .filter_map(|(_, mark)| mark.as_str())
        .map(str::to_owned)
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn items(value: Option<&Value>) -> impl Iterator<Item = (usize, &Value)> {
    value
        .and_then(Value::as_sequence)
        .into_iter()
        .flatten()
        .enumerate()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_parents_and_unknown_fields_are_no_obstacle() {
        let cluster = Cluster::read(Some(
            b"apiVersion: v1\nkind: ImportCluster\nmetadata: {name: shop}\nspec:\n  git_repository: {branch: main}\n  stacks:\n    - name: db\n      deploy_wave: 0\n      manifests:\n        - name: ns\n          from_file: a.yaml\n        - include: more/\n        - name: inline\n          manifest: 'kind: X'\n        - name: creds\n          from_file: b.yaml\n          encrypted_paths: [password, .dockerconfigjson]\n          parents: [{name: ns, kind: manifest}, {manifest: inline}]\n      addons:\n        - name: pg\n          chart_name: postgresql\n          chart_version: '16.2.1'\n          registry_url: https://charts.example\n          configuration: {from_file: c.yaml, encrypted_paths: [x]}\n          parents:\n            - manifest: ns\n    - name: Not A Label\n",
        ))
        .unwrap();
        let stack = &cluster.stacks()[0];
        let names: Vec<_> = stack
            .members
            .iter()
            .map(|m| (m.name.as_str(), m.position))
            .collect();
        assert_eq!(names, [("ns", 0), ("creds", 3), ("pg", 0)]);
        assert_eq!(stack.members[1].marks, ["password", ".dockerconfigjson"]);
        assert_eq!(stack.members[2].marks, ["x"]);
        assert_eq!(
            stack.members[2].chart.as_ref().unwrap().repository_url,
            "https://charts.example"
        );
        assert_eq!(cluster.stacks().len(), 1);
        assert!(cluster.is_taken(MemberKind::Manifest, &MemberName::parse("inline").unwrap()));
    }

    #[test]
    fn another_kind_of_file_is_refused() {
        for text in [
            "a: 1\n",
            "apiVersion: v1\nkind: Other\n",
            "apiVersion: v2\nkind: ImportCluster\n",
            "",
            "- x\n",
        ] {
            assert!(Cluster::read(Some(text.as_bytes())).is_err(), "{text}");
        }
        assert!(Cluster::read(None).unwrap().stacks().is_empty());
    }
}
