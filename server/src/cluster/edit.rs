//! Changes a cluster file line by line, and proves each change.
//!
//! A save adds a stack, adds members, or sets fields of a member. Each is one splice of the text, after
//! which the whole file is read again: its data must equal the old data with just that change made to
//! it. Whatever cannot be proved is refused, and the file stays as it was.

use std::fmt::Write as _;
use std::ops::Range;

use serde_yaml::{Mapping, Value};
use stackseal_core::Limits;
use stackseal_core::document::{Document, Plain};
use stackseal_model::name::{MemberName, NamespaceName, StackName};
use stackseal_model::stack::{Chart, MemberKind};

use crate::cluster::emit::{
    MARKS, as_item, fields_text, indented, mapping, member_text, member_value, scalar, skeleton,
};
use crate::cluster::outline::{Entry, Lines, outline};
use crate::cluster::{Cluster, ClusterMember, address_key, list_key, unsupported};
use crate::error::{Code, Error};

/// What a save wants a stack to be.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    /// The stack; made when the file lacks it.
    pub(crate) stack: &'a StackName,
    /// What it is for, when it is made.
    pub(crate) description: &'a str,
    /// Members that must be there as described.
    pub(crate) members: Vec<WantedMember<'a>>,
}

/// What a save wants a member to be.
#[derive(Clone, Debug)]
pub(crate) struct WantedMember<'a> {
    /// Manifest or add-on.
    pub(crate) kind: MemberKind,
    /// Its name.
    pub(crate) name: &'a MemberName,
    /// Namespace; `None` keeps what stands there.
    pub(crate) namespace: Option<&'a NamespaceName>,
    /// Chart; `None` keeps what stands there.
    pub(crate) chart: Option<&'a Chart>,
    /// `encrypted_paths`, all of them.
    pub(crate) marks: &'a [String],
    /// Path relative to the cluster file.
    pub(crate) from_file: &'a str,
}

/// The file with the change made to it; the same text when nothing is to change.
///
/// # Errors
/// `cluster-file-unsupported` when it cannot be edited safely, `member-elsewhere` when a name is taken,
/// `chart-missing` for a new add-on without a chart.
pub(crate) fn apply(
    bytes: Option<&[u8]>,
    cluster_name: &str,
    wanted: &Wanted<'_>,
) -> Result<String, Error> {
    let mut file = match bytes {
        Some(bytes) => File::read(bytes)?,
        None => File::read(skeleton(cluster_name).as_bytes())?,
    };
    file.ensure_stack(wanted.stack, wanted.description)?;
    for member in &wanted.members {
        file.ensure_member(wanted.stack, member)?;
    }
    Ok(file.text)
}

/// The file at some point of the change.
struct File {
    text: String,
    value: Value,
    document: Document<Plain>,
}

/// One replacement in the text.
struct Splice {
    range: Range<usize>,
    text: String,
}

impl File {
    fn read(bytes: &[u8]) -> Result<Self, Error> {
        Cluster::read(Some(bytes))?;
        let document = Document::<Plain>::parse(bytes, &Limits::default())?;
        let value = serde_yaml::from_str(document.text())
            .map_err(|_| unsupported("the file cannot be read as one YAML document"))?;
        Ok(Self {
            text: document.text().to_owned(),
            value,
            document,
        })
    }

    fn cluster(&self) -> Result<Cluster, Error> {
        Cluster::read(Some(self.text.as_bytes()))
    }

    /// Makes the splice and checks that the data changed as `change` says, and no other way.
    fn make(
        &mut self,
        splice: Splice,
        change: impl FnOnce(&mut Value) -> Option<()>,
    ) -> Result<(), Error> {
        let unproved = || unsupported("a line could not be changed without changing others");
        let mut text = self.text.clone();
        let line_end = if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let inserted = splice.text.replace('\n', line_end);
        let before = text.get(..splice.range.start).ok_or_else(unproved)?;
        // a last line without a line break gets one before another line follows
        let at_end = splice.range.start == self.text.len() && !inserted.starts_with(line_end);
        let breaks = at_end && !before.is_empty() && !before.ends_with('\n');
        text.replace_range(
            splice.range,
            &format!("{}{inserted}", if breaks { line_end } else { "" }),
        );
        let next = Self::read(text.as_bytes()).map_err(|_| unproved())?;
        change(&mut self.value).ok_or_else(unproved)?;
        if next.value != self.value {
            return Err(unproved());
        }
        *self = next;
        Ok(())
    }

    fn ensure_stack(&mut self, name: &StackName, description: &str) -> Result<(), Error> {
        if self.cluster()?.stack(name).is_some() {
            return Ok(());
        }
        self.ensure_spec()?;
        let (top, lines) = self.outline();
        let spec = top
            .child("spec")
            .ok_or_else(|| unsupported("spec has no line of its own"))?;
        let mut fields = vec![("name", scalar(name.as_str()))];
        if !description.is_empty() {
            fields.push(("description", scalar(description)));
        }
        let splice = self.append_item(spec, "stacks", &lines, &fields_text(&fields))?;
        let stack = mapping(&[("name", name.as_str()), ("description", description)]);
        self.make(splice, |value| {
            push(value.get_mut("spec")?, "stacks", stack)
        })
    }

    fn ensure_spec(&mut self) -> Result<(), Error> {
        if self.value.get("spec").is_some() {
            return Ok(());
        }
        let end = self.text.len();
        let splice = Splice {
            range: end..end,
            text: "spec:\n  stacks:\n".to_owned(),
        };
        self.make(splice, |value| {
            let mut spec = Mapping::new();
            spec.insert("stacks".into(), Value::Null);
            value.as_mapping_mut()?.insert("spec".into(), spec.into());
            Some(())
        })
    }

    fn ensure_member(&mut self, stack: &StackName, wanted: &WantedMember<'_>) -> Result<(), Error> {
        let cluster = self.cluster()?;
        let missing = || unsupported("the stack has no lines of its own");
        let position = cluster.stack(stack).ok_or_else(missing)?.position;
        let Some(member) = cluster
            .stack(stack)
            .and_then(|s| s.member(wanted.kind, wanted.name))
        else {
            if cluster.is_taken(wanted.kind, wanted.name) {
                return Err(taken(wanted, &cluster));
            }
            return self.add_member(position, wanted);
        };
        if member.from_file != wanted.from_file {
            return Err(Error::refused(
                Code::Conflict,
                "The member points to another file now.",
            ));
        }
        let place = Place {
            stack: position,
            kind: wanted.kind,
            member: member.position,
        };
        let current = member.clone();
        self.update_member(place, &current, wanted)
    }

    fn add_member(&mut self, stack: usize, wanted: &WantedMember<'_>) -> Result<(), Error> {
        if wanted.kind == MemberKind::Addon && wanted.chart.is_none_or(|c| c.name.is_empty()) {
            let name = wanted.name;
            return Err(Error::refused(Code::ChartMissing, "").at(format!("addon {name}")));
        }
        let (top, lines) = self.outline();
        let entry = stack_entry(&top, stack)?;
        let list = list_key(wanted.kind);
        let splice = self.append_item(entry, list, &lines, &member_text(wanted))?;
        let value = member_value(wanted);
        self.make(splice, |root| push(stack_value(root, stack)?, list, value))
    }

    fn update_member(
        &mut self,
        place: Place,
        current: &ClusterMember,
        wanted: &WantedMember<'_>,
    ) -> Result<(), Error> {
        if let Some(namespace) = wanted
            .namespace
            .filter(|n| Some(*n) != current.namespace.as_ref())
        {
            self.set_field(place, "namespace", namespace.as_str())?;
        }
        if let (Some(new), Some(old)) = (wanted.chart, &current.chart) {
            let address = place
                .member_value(&mut self.value)
                .map(|member| address_key(member).0);
            let address = address.unwrap_or("repository_url");
            for (key, new, old) in [
                ("chart_name", &new.name, &old.name),
                ("chart_version", &new.version, &old.version),
                (address, &new.repository_url, &old.repository_url),
            ] {
                if new != old {
                    self.set_field(place, key, new)?;
                }
            }
        }
        if !same_set(wanted.marks, &current.marks) {
            self.set_marks(place, &merged(&current.marks, wanted.marks))?;
        }
        Ok(())
    }

    fn set_field(&mut self, place: Place, key: &str, new: &str) -> Result<(), Error> {
        let (top, lines) = self.outline();
        let member = place.entry(&top)?;
        let splice = match member.child(key) {
            Some(field)
                if field.children.is_empty()
                    && field.end == field.line + 1
                    && !field.value.is_empty() =>
            {
                Splice {
                    range: field.value.clone(),
                    text: scalar(new),
                }
            }
            Some(_) => {
                return Err(unsupported(
                    "a field to be changed takes more than one line",
                ));
            }
            None => insert_after(member, "name", &lines, &format!("{key}: {}\n", scalar(new)))?,
        };
        self.make(splice, |root| {
            place
                .member_value(root)?
                .as_mapping_mut()?
                .insert(key.into(), new.into());
            Some(())
        })
    }

    fn set_marks(&mut self, place: Place, marks: &[String]) -> Result<(), Error> {
        let (top, lines) = self.outline();
        let mut holder = place.entry(&top)?;
        if place.kind == MemberKind::Addon {
            let spread = || unsupported("the add-on's configuration is not written in block style");
            holder = holder
                .child("configuration")
                .filter(|c| !c.children.is_empty())
                .ok_or_else(spread)?;
        }
        let on_one_line = format!(
            "[{}]",
            marks
                .iter()
                .map(|m| scalar(m))
                .collect::<Vec<_>>()
                .join(", ")
        );
        let splice = match holder.child(MARKS) {
            None => {
                let text = format!("{MARKS}: {on_one_line}\n");
                insert_after(holder, "from_file", &lines, &text)?
            }
            Some(entry) if entry.children.is_empty() && entry.end == entry.line + 1 => {
                let space = if entry.value.is_empty() { " " } else { "" };
                Splice {
                    range: entry.value.clone(),
                    text: format!("{space}{on_one_line}"),
                }
            }
            Some(entry) if !entry.children.is_empty() => {
                // each item on its own line: keep the lines of those that stay
                let old = place.marks(&mut self.value).unwrap_or_default();
                self.marks_in_lines(entry, &lines, &old, marks)?
            }
            Some(_) => {
                return Err(unsupported(
                    "encrypted_paths takes more than one line in flow style",
                ));
            }
        };
        let list: Vec<Value> = marks
            .iter()
            .map(|mark| Value::from(mark.as_str()))
            .collect();
        self.make(splice, |root| {
            place
                .source_value(root)?
                .as_mapping_mut()?
                .insert(MARKS.into(), list.into());
            Some(())
        })
    }

    fn marks_in_lines(
        &self,
        entry: &Entry,
        lines: &Lines,
        old: &[String],
        new: &[String],
    ) -> Result<Splice, Error> {
        if old.len() != entry.children.len() {
            return Err(unsupported("an item of encrypted_paths is no text"));
        }
        let mut text = String::new();
        let first = entry.children.first().map_or(entry.end, |child| child.line);
        let column = entry
            .children
            .first()
            .map_or(entry.column + 2, |child| child.column);
        let mut from = first;
        for (child, mark) in entry.children.iter().zip(old) {
            if new.contains(mark) {
                text.push_str(self.lines_between(lines, from, child.end));
            }
            from = child.end;
        }
        for mark in new.iter().filter(|mark| !old.contains(mark)) {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{:column$}- {}", "", scalar(mark));
        }
        let range = lines.start(first)..lines.start(entry.end);
        if text.is_empty() {
            // nothing is left of the block: write the empty list behind the key
            let (from, rest) = self.behind_key(entry, lines);
            return Ok(Splice {
                range: from..range.end,
                text: format!(" []{rest}"),
            });
        }
        Ok(Splice {
            range,
            text: text.replace("\r\n", "\n"),
        })
    }

    fn lines_between(&self, lines: &Lines, from: usize, to: usize) -> &str {
        self.text
            .get(lines.start(from)..lines.start(to))
            .unwrap_or_default()
    }

    /// Appends an item to the sequence `key` of `holder`, which may lack it.
    fn append_item(
        &self,
        holder: &Entry,
        key: &str,
        lines: &Lines,
        item: &str,
    ) -> Result<Splice, Error> {
        let unfit = || unsupported(&format!("{key} is not written in block style"));
        let own_column = holder
            .children
            .first()
            .map_or(holder.column + 2, |child| child.column);
        let Some(list) = holder.child(key) else {
            if holder.children.is_empty() && !holder.value.is_empty() {
                return Err(unfit());
            }
            let at = lines.start(holder.end);
            let text = indented(&format!("{key}:\n{}", as_item(item, 2)), own_column);
            return Ok(Splice {
                range: at..at,
                text,
            });
        };
        if let Some(first) = list.children.first() {
            if first.key.is_some() {
                return Err(unfit());
            }
            let at = lines.start(list.end);
            return Ok(Splice {
                range: at..at,
                text: indented(&as_item(item, 0), first.column),
            });
        }
        // an empty list: its value, if one is written, gives way to the block
        let value = self.text.get(list.value.clone()).unwrap_or_default();
        if !matches!(value, "" | "[]" | "null" | "~") || list.end != list.line + 1 {
            return Err(unfit());
        }
        let (from, rest) = self.behind_key(list, lines);
        let block = indented(&as_item(item, 0), list.column + 2);
        Ok(Splice {
            range: from..lines.start(list.line + 1),
            text: format!("{rest}{block}"),
        })
    }

    /// Where an entry's key ends, and what its line holds behind the value: a comment or nothing, and
    /// the line's end.
    fn behind_key(&self, entry: &Entry, lines: &Lines) -> (usize, String) {
        let key = self.text.get(..entry.value.start).unwrap_or_default();
        let end = lines.start(entry.line + 1);
        let rest = self
            .text
            .get(entry.value.end..end)
            .unwrap_or_default()
            .trim();
        let space = if rest.is_empty() { "" } else { " " };
        (key.trim_end().len(), format!("{space}{rest}\n"))
    }

    fn outline(&self) -> (Entry, Lines) {
        (outline(&self.document), Lines::of(&self.text))
    }
}

/// Where a member stands in the data and in the outline.
#[derive(Clone, Copy)]
struct Place {
    stack: usize,
    kind: MemberKind,
    member: usize,
}

impl Place {
    fn entry(self, top: &Entry) -> Result<&Entry, Error> {
        let list = stack_entry(top, self.stack)?.child(list_key(self.kind));
        let item = list
            .and_then(|list| list.children.get(self.member))
            .filter(|item| item.key.is_none());
        item.filter(|item| !item.children.is_empty())
            .ok_or_else(|| unsupported("the member is not written in block style"))
    }

    fn member_value(self, root: &mut Value) -> Option<&mut Value> {
        stack_value(root, self.stack)?
            .get_mut(list_key(self.kind))?
            .get_mut(self.member)
    }

    fn source_value(self, root: &mut Value) -> Option<&mut Value> {
        let member = self.member_value(root)?;
        match self.kind {
            MemberKind::Addon => member.get_mut("configuration"),
            MemberKind::Manifest => Some(member),
        }
    }

    /// The marks, when each of them is a text.
    fn marks(self, root: &mut Value) -> Option<Vec<String>> {
        let list = self.source_value(root)?.get(MARKS)?.as_sequence()?;
        list.iter()
            .map(|mark| mark.as_str().map(str::to_owned))
            .collect()
    }
}

fn stack_entry(top: &Entry, position: usize) -> Result<&Entry, Error> {
    let stacks = top.child("spec").and_then(|spec| spec.child("stacks"));
    let stack = stacks.and_then(|stacks| stacks.children.get(position));
    stack
        .filter(|stack| stack.key.is_none() && !stack.children.is_empty())
        .ok_or_else(|| unsupported("the stack is not written in block style"))
}

fn stack_value(root: &mut Value, position: usize) -> Option<&mut Value> {
    root.get_mut("spec")?.get_mut("stacks")?.get_mut(position)
}

/// Inserts lines after the field `key` of an entry, or after its first field.
fn insert_after(holder: &Entry, key: &str, lines: &Lines, text: &str) -> Result<Splice, Error> {
    let field = holder.child(key).or_else(|| holder.children.first());
    let field = field.ok_or_else(|| unsupported("an entry is not written in block style"))?;
    let at = lines.start(field.end);
    Ok(Splice {
        range: at..at,
        text: indented(text, field.column),
    })
}

fn taken(wanted: &WantedMember<'_>, cluster: &Cluster) -> Error {
    let (kind, name) = (wanted.kind.as_str(), wanted.name);
    let detail = match cluster.holder(wanted.kind, name) {
        Some(stack) => format!(
            "The {kind} {name} is in the stack {}; choose another name.",
            stack.name
        ),
        None => format!(
            "The {kind} {name} stands in the cluster file with content of its own; choose another name."
        ),
    };
    Error::refused(Code::MemberElsewhere, detail)
}

fn push(holder: &mut Value, key: &str, item: Value) -> Option<()> {
    let map = holder.as_mapping_mut()?;
    match map.get_mut(key) {
        Some(Value::Sequence(list)) => list.push(item),
        Some(Value::Null) | None => {
            map.insert(key.into(), Value::Sequence(vec![item]));
        }
        Some(_) => return None,
    }
    Some(())
}

fn same_set(one: &[String], other: &[String]) -> bool {
    one.iter().all(|mark| other.contains(mark)) && other.iter().all(|mark| one.contains(mark))
}

/// The marks that stay in their order, then the new ones in theirs.
fn merged(old: &[String], new: &[String]) -> Vec<String> {
    let kept = old.iter().filter(|mark| new.contains(mark));
    kept.chain(new.iter().filter(|mark| !old.contains(mark)))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(name: &str) -> StackName {
        StackName::parse(name).unwrap()
    }

    /// Applies one member to a text and shows the lines that went (`-`) and came (`+`).
    fn changed(text: &str, wanted: &WantedMember<'_>) -> String {
        let name = stack("db");
        let wanted = Wanted {
            stack: &name,
            description: "",
            members: vec![wanted.clone()],
        };
        let new = apply(Some(text.as_bytes()), "x", &wanted).unwrap();
        let (old, new): (Vec<_>, Vec<_>) = (text.lines().collect(), new.lines().collect());
        let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let same_end = old[same_start..]
            .iter()
            .rev()
            .zip(new[same_start..].iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        let went = old[same_start..old.len() - same_end]
            .iter()
            .map(|line| format!("-{line}\n"));
        let came = new[same_start..new.len() - same_end]
            .iter()
            .map(|line| format!("+{line}\n"));
        went.chain(came).collect()
    }

    fn manifest<'a>(
        name: &'a MemberName,
        marks: &'a [String],
        from_file: &'a str,
    ) -> WantedMember<'a> {
        WantedMember {
            kind: MemberKind::Manifest,
            name,
            namespace: None,
            chart: None,
            marks,
            from_file,
        }
    }

    fn marks(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_new_file_is_written_whole() {
        let (db, creds, grafana) = (
            stack("db"),
            MemberName::parse("creds").unwrap(),
            MemberName::parse("grafana").unwrap(),
        );
        let namespace = NamespaceName::parse("data").unwrap();
        let chart = Chart {
            name: "grafana".into(),
            version: "8.5".into(),
            repository_url: "https://charts.example/x".into(),
        };
        let (one, two) = (
            marks(&["password", ".dockerconfigjson"]),
            marks(&["adminPassword"]),
        );
        let wanted = Wanted {
            stack: &db,
            description: "The \"data\" layer: 1",
            members: vec![
                WantedMember {
                    namespace: Some(&namespace),
                    ..manifest(&creds, &one, "stacks/db/manifests/creds.yaml")
                },
                WantedMember {
                    kind: MemberKind::Addon,
                    chart: Some(&chart),
                    ..manifest(&grafana, &two, "stacks/db/values/grafana.yaml")
                },
            ],
        };
        let text = apply(None, "acme", &wanted).unwrap();
        assert_eq!(
            text,
            "apiVersion: v1\nkind: ImportCluster\nmetadata:\n  name: acme\nspec:\n  stacks:\n    - name: db\n      description: \"The \\\"data\\\" layer: 1\"\n      manifests:\n        - name: creds\n          namespace: data\n          from_file: stacks/db/manifests/creds.yaml\n          encrypted_paths:\n            - password\n            - \".dockerconfigjson\"\n      addons:\n        - name: grafana\n          chart_name: grafana\n          chart_version: \"8.5\"\n          repository_url: \"https://charts.example/x\"\n          configuration:\n            from_file: stacks/db/values/grafana.yaml\n            encrypted_paths:\n              - adminPassword\n"
        );
        assert_eq!(
            apply(Some(text.as_bytes()), "other", &wanted).unwrap(),
            text
        );
    }

    const OLD: &str = "# ours\napiVersion: v1\nkind: ImportCluster\nmetadata:\n    name: shop   # the shop\nspec:\n    git_repository: {branch: main}\n    stacks:\n    # first\n    - name: db\n      variables: {A: \"1\"}\n      manifests:\n      - name: ns   # namespace\n        from_file: ns.yaml\n      # the secret\n      - from_file: creds.yaml\n        name: creds\n        encrypted_paths: [password] # keep\n        parents: [{name: ns, kind: manifest}, {manifest: x}]\n        unknown: {deep: [1, 2]}\n\n    - name: web\n      description: |\n        manifests:\n          - name: not-a-member\n# end\n";

    #[test]
    fn only_the_lines_concerned_change() {
        let (ns, creds, new) = (
            MemberName::parse("ns").unwrap(),
            MemberName::parse("creds").unwrap(),
            MemberName::parse("new").unwrap(),
        );
        let more = marks(&["password", "token"]);
        assert_eq!(
            changed(OLD, &manifest(&creds, &marks(&["password"]), "creds.yaml")),
            ""
        );
        assert_eq!(
            changed(OLD, &manifest(&creds, &more, "creds.yaml")),
            "-        encrypted_paths: [password] # keep\n+        encrypted_paths: [password, token] # keep\n"
        );
        assert_eq!(
            changed(OLD, &manifest(&ns, &marks(&["a"]), "ns.yaml")),
            "+        encrypted_paths: [a]\n"
        );
        assert_eq!(
            changed(OLD, &manifest(&new, &marks(&["a"]), "new.yaml")),
            "+      - name: new\n+        from_file: new.yaml\n+        encrypted_paths:\n+          - a\n"
        );
        let namespace = NamespaceName::parse("data").unwrap();
        let same = marks(&["password"]);
        let wanted = WantedMember {
            namespace: Some(&namespace),
            ..manifest(&creds, &same, "creds.yaml")
        };
        assert_eq!(changed(OLD, &wanted), "+        namespace: data\n");
    }

    #[test]
    fn stacks_and_lists_come_where_they_belong() {
        let empty = |name: &StackName| {
            apply(
                Some(OLD.as_bytes()),
                "x",
                &Wanted {
                    stack: name,
                    description: "d",
                    members: vec![],
                },
            )
            .unwrap()
        };
        assert_eq!(empty(&stack("web")), OLD);
        let text = empty(&stack("new"));
        assert_eq!(
            text,
            OLD.replace("# end\n", "    - name: new\n      description: d\n# end\n")
        );
        let (web, member) = (stack("web"), MemberName::parse("m").unwrap());
        let wanted = Wanted {
            stack: &web,
            description: "",
            members: vec![manifest(&member, &[], "m.yaml")],
        };
        let text = apply(Some(OLD.as_bytes()), "x", &wanted).unwrap();
        let came = "      manifests:\n        - name: m\n          from_file: m.yaml\n";
        assert_eq!(text, OLD.replace("# end\n", &format!("{came}# end\n")));
    }

    #[test]
    fn marks_in_lines_are_edited_in_lines() {
        let text = "apiVersion: v1\nkind: ImportCluster\nspec:\n  stacks:\n    - name: db\n      addons:\n        - name: pg\n          configuration:\n            from_file: pg.yaml\n            encrypted_paths:\n              - a # one\n              # of b\n              - b\n          group: x\n";
        let name = MemberName::parse("pg").unwrap();
        let addon = |marks: &[String]| {
            changed(
                text,
                &WantedMember {
                    kind: MemberKind::Addon,
                    ..manifest(&name, marks, "pg.yaml")
                },
            )
        };
        assert_eq!(addon(&marks(&["b", "a", "c"])), "+              - c\n");
        assert_eq!(addon(&marks(&["b"])), "-              - a # one\n");
        assert_eq!(
            addon(&marks(&["a"])),
            "-              # of b\n-              - b\n"
        );
        assert!(addon(&[]).contains("+            encrypted_paths: []\n"));
    }

    #[test]
    fn windows_lines_and_a_missing_last_line_break_are_kept() {
        let text = "apiVersion: v1\r\nkind: ImportCluster\r\nspec:\r\n  stacks: []";
        let db = stack("db");
        let new = apply(
            Some(text.as_bytes()),
            "x",
            &Wanted {
                stack: &db,
                description: "",
                members: vec![],
            },
        )
        .unwrap();
        assert_eq!(
            new,
            "apiVersion: v1\r\nkind: ImportCluster\r\nspec:\r\n  stacks:\r\n    - name: db\r\n"
        );
        let text = "apiVersion: v1\nkind: ImportCluster\nspec:\n  stacks:\n    - name: web";
        let new = apply(
            Some(text.as_bytes()),
            "x",
            &Wanted {
                stack: &db,
                description: "",
                members: vec![],
            },
        )
        .unwrap();
        assert_eq!(new, format!("{text}\n    - name: db\n"));
    }

    #[test]
    fn shapes_that_cannot_be_edited_are_refused() {
        let db = stack("db");
        let name = MemberName::parse("m").unwrap();
        let list = marks(&["a"]);
        let head = "apiVersion: v1\nkind: ImportCluster\n";
        for rest in [
            "spec: {stacks: [{name: db}]}\n",
            "spec:\n  stacks: [{name: db, manifests: []}]\n",
            "spec:\n  stacks:\n    - {name: db}\n",
            "spec:\n  stacks:\n    - name: db\n      manifests: [{name: m, from_file: m.yaml}]\n",
            "spec:\n  stacks:\n    - name: db\n      manifests:\n        - {name: m, from_file: m.yaml}\n",
            "spec:\n  stacks:\n    - name: db\n      manifests:\n        - name: m\n          from_file: m.yaml\n          encrypted_paths: [\n            b]\n",
            "x: &x\n  - name: other\n    from_file: o.yaml\nspec:\n  stacks:\n    - name: db\n      manifests: *x\n",
            "spec:\n  stacks:\n    - name: db\n      manifests: &l\n        - name: n\n          from_file: n.yaml\n    - name: web\n      manifests: *l\n",
            "? spec\n: stacks:\n    - name: db\n",
        ] {
            let text = format!("{head}{rest}");
            let wanted = Wanted {
                stack: &db,
                description: "",
                members: vec![manifest(&name, &list, "m.yaml")],
            };
            let error = apply(Some(text.as_bytes()), "x", &wanted).unwrap_err();
            assert_eq!(error.problem().code, "cluster-file-unsupported", "{rest}");
        }
    }

    #[test]
    fn a_name_taken_elsewhere_and_a_missing_chart_are_refused() {
        let (web, ns) = (stack("web"), MemberName::parse("ns").unwrap());
        let code = |wanted: WantedMember<'_>| {
            let wanted = Wanted {
                stack: &web,
                description: "",
                members: vec![wanted],
            };
            apply(Some(OLD.as_bytes()), "x", &wanted)
                .unwrap_err()
                .problem()
                .code
        };
        assert_eq!(
            code(manifest(&ns, &[], "stacks/web/manifests/ns.yaml")),
            "member-elsewhere"
        );
        assert_eq!(
            code(WantedMember {
                kind: MemberKind::Addon,
                ..manifest(&ns, &[], "v.yaml")
            }),
            "chart-missing"
        );
    }
}
