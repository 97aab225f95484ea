//! The sample stack: three files as people really have them, with their marks set. The values are made up.

use leptos::prelude::Set;
use stackseal_model::stack::{Chart, MemberKind};

use crate::workbench::Workbench;

/// Name of the sample stack.
pub const NAME: &str = "sample";
/// What it is for.
pub const DESCRIPTION: &str = "Database credentials, a registry login and Grafana";

struct Sample {
    kind: MemberKind,
    name: &'static str,
    namespace: &'static str,
    chart: Option<(&'static str, &'static str, &'static str)>,
    marks: &'static [&'static str],
    text: &'static str,
}

/// Adds the sample's files to an empty stack, as changes to be saved.
pub fn fill(bench: Workbench) {
    for sample in SAMPLES {
        bench.add(sample.kind, |draft| {
            draft.name.set(sample.name.to_owned());
            draft.namespace.set(sample.namespace.to_owned());
            if let Some((name, version, repository_url)) = sample.chart {
                draft.chart.set(Chart {
                    name: name.to_owned(),
                    version: version.to_owned(),
                    repository_url: repository_url.to_owned(),
                });
            }
            draft
                .marks
                .set(sample.marks.iter().map(|mark| (*mark).to_owned()).collect());
            draft.put(sample.text.to_owned().into());
        });
    }
    bench.show_first();
}

const SAMPLES: &[Sample] = &[
    Sample {
        kind: MemberKind::Manifest,
        name: "postgres-credentials",
        namespace: "database",
        chart: None,
        marks: &["password"],
        text: "\
apiVersion: v1
kind: Secret
metadata:
  name: postgres-credentials
  namespace: database
type: Opaque
stringData:
  username: app_user
  password: sample-password-to-replace
",
    },
    Sample {
        kind: MemberKind::Manifest,
        name: "registry-auth",
        namespace: "platform",
        chart: None,
        marks: &[".dockerconfigjson"],
        // {"auths":{"registry.example.com":{"username":"puller","password":"sample","auth":"cHVsbGVyOnNhbXBsZQ=="}}}
        text: "\
apiVersion: v1
kind: Secret
metadata:
  name: registry-auth
  namespace: platform
type: kubernetes.io/dockerconfigjson
data:
  .dockerconfigjson: eyJhdXRocyI6eyJyZWdpc3RyeS5leGFtcGxlLmNvbSI6eyJ1c2VybmFtZSI6InB1bGxlciIsInBhc3N3b3JkIjoic2FtcGxlIiwiYXV0aCI6ImNIVnNiR1Z5T25OaGJYQnNaUT09In19fQ==
",
    },
    Sample {
        kind: MemberKind::Addon,
        name: "grafana",
        namespace: "monitoring",
        chart: Some(("grafana", "8.5.1", "https://grafana.github.io/helm-charts")),
        marks: &["adminPassword"],
        text: "\
# Values of the Grafana chart
adminUser: admin
adminPassword: sample-admin-password

persistence:
  enabled: true
  size: 5Gi

grafana.ini:
  server:
    root_url: https://grafana.example.com
",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal;

    #[test]
    fn each_sample_can_be_sealed_as_it_is() {
        for sample in SAMPLES {
            let marks: Vec<String> = sample.marks.iter().map(|mark| (*mark).to_owned()).collect();
            let check = seal::check(
                sample.text,
                &marks,
                seal::Promise {
                    sealed: &Default::default(),
                    manifest: true,
                },
            );
            assert!(
                check.findings.iter().all(|finding| !finding.refuses),
                "{}: {:?}",
                sample.name,
                check.findings
            );
            assert_eq!(check.hits.len(), 1, "{}", sample.name);
        }
    }
}
