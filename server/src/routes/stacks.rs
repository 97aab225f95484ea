//! Stacks as the branch has them, and those that saves on their way will make.

use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use git2::Oid;
use stackseal_core::Limits;
use stackseal_core::document::is_sealed;
use stackseal_model::api::{IDEMPOTENCY_HEADER, NewStack, Save};
use stackseal_model::name::StackName;
use stackseal_model::stack::{Member as StackMember, Stack, StackSummary};

use crate::auth::Member;
use crate::body;
use crate::cluster::{ClusterMember, ClusterStack};
use crate::error::{Code, Error};
use crate::git::repository::Found;
use crate::saves::accept::{self, Asked};
use crate::saves::plan::{member_path, read_cluster};
use crate::state::State;
use crate::telemetry::RequestId;

/// `GET /api/v1/stacks`
pub(crate) async fn list(
    _member: Member,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<StackSummary>>, Error> {
    // asked before the branch: what is pushed in between is on it
    let coming = state.store().coming_stacks().await?;
    let head = state.mirror().refresh().await?;
    let (cluster, _) = read_cluster(&state, head).await?;
    let mut summaries = Vec::with_capacity(cluster.stacks().len());
    for stack in cluster.stacks() {
        let mut summary = StackSummary {
            name: stack.name.clone(),
            description: stack.description.clone(),
            members: 0,
            sealed: 0,
        };
        for member in &stack.members {
            // one text at a time is in memory
            if let Some(read) = read(&state, head, member).await? {
                summary.members += 1;
                summary.sealed += usize::from(read.sealed);
            }
        }
        summaries.push(summary);
    }
    for (name, description) in coming {
        if cluster.stack(&name).is_none() {
            summaries.push(StackSummary {
                name,
                description,
                members: 0,
                sealed: 0,
            });
        }
    }
    Ok(Json(summaries))
}

/// `POST /api/v1/stacks`: a save without files.
pub(crate) async fn create(
    member: Member,
    Shared(state): Shared<State>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: body::Json<NewStack>,
) -> Result<(StatusCode, Json<Save>), Error> {
    let key = headers
        .get(IDEMPOTENCY_HEADER)
        .map(|key| key.to_str().unwrap_or_default());
    let key = key.map(|key| accept::key(Some(key))).transpose()?;
    let asked = Asked {
        member: &member,
        request_id: &request.0,
        key,
        digest: body.digest,
    };
    let NewStack { name, description } = body.value;
    let save = accept::accept_stack(&state, &asked, name, description).await?;
    Ok((StatusCode::ACCEPTED, Json(save)))
}

/// `GET /api/v1/stacks/{stack}`
pub(crate) async fn show(
    _member: Member,
    Shared(state): Shared<State>,
    Path(name): Path<String>,
) -> Result<Json<Stack>, Error> {
    let missing = || Error::refused(Code::StackMissing, "");
    let name = StackName::parse(&name).map_err(|_| missing())?;
    let coming = state.store().coming_stacks().await?;
    let head = state.mirror().refresh().await?;
    let (cluster, _) = read_cluster(&state, head).await?;
    let commit = head.map(|oid| oid.to_string()).unwrap_or_default();
    if let Some(stack) = cluster.stack(&name) {
        let (description, members) = (
            stack.description.clone(),
            members(&state, head, stack).await?,
        );
        return Ok(Json(Stack {
            name,
            description,
            members,
            commit,
        }));
    }
    // accepted and not on the branch yet: whoever made it can go on in it
    let (name, description) = coming
        .into_iter()
        .find(|(one, _)| *one == name)
        .ok_or_else(missing)?;
    Ok(Json(Stack {
        name,
        description,
        members: Vec::new(),
        commit,
    }))
}

/// The members whose files are on the branch and are text.
async fn members(
    state: &State,
    head: Option<Oid>,
    stack: &ClusterStack,
) -> Result<Vec<StackMember>, Error> {
    let mut members = Vec::with_capacity(stack.members.len());
    for member in &stack.members {
        members.extend(read(state, head, member).await?);
    }
    Ok(members)
}

/// A member, if its file is on the branch and text of a size that can be saved.
async fn read(
    state: &State,
    head: Option<Oid>,
    member: &ClusterMember,
) -> Result<Option<StackMember>, Error> {
    let Ok(path) = member_path(&state.config().cluster_file, &member.from_file) else {
        return Ok(None);
    };
    let wanted = path.clone();
    let found = state
        .mirror()
        .in_clone(move |clone| clone.find(head, &wanted))
        .await?;
    let Found::File(file) = found else {
        return Ok(None);
    };
    let Ok(text) = String::from_utf8(file.bytes) else {
        return Ok(None);
    };
    Ok(Some(StackMember {
        kind: member.kind,
        name: member.name.clone(),
        namespace: member.namespace.clone(),
        chart: member.chart.clone(),
        marks: member.marks.clone(),
        path: path.to_string(),
        blob: file.blob.to_string(),
        sealed: is_sealed(text.as_bytes(), &Limits::generous()).unwrap_or(false),
        text,
    }))
}
