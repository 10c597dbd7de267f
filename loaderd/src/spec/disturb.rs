//! The disturbances that a spec asks for.

use std::time::Duration;

use loader_proto::v1;

use super::{
    check::{Check, LONGEST, time},
    platform::PlatformKind,
};
use crate::disturbance::{Action, Component, Count, Disturbance, Kind, Lasting, Target};

/// Most disturbances of a run.
const MOST: usize = 100;

/// Greatest number of pods or instances that can be named.
const MOST_COUNTED: u32 = 1_000_000;

/// Longest selector, in bytes.
const LONGEST_SELECTOR: usize = 1024;

/// Reads the list, in its order. A list that is too long is not read.
pub(super) fn disturbances(
    check: &mut Check,
    messages: &[v1::Disturbance],
    platform: Option<PlatformKind>,
) -> Option<Vec<Disturbance>> {
    if messages.len() > MOST {
        check.fault("disturb", format!("has {} entries; must have at most {MOST}", messages.len()));
        return None;
    }
    // Each is read before the first failure counts.
    let read: Vec<_> =
        messages.iter().enumerate().map(|(index, message)| Entry { check, index }.read(message, platform)).collect();
    let read: Vec<_> = read.into_iter().collect::<Option<_>>()?;
    overlaps(check, &read);
    Some(read)
}

/// One entry of the list.
struct Entry<'a> {
    check: &'a mut Check,
    index: usize,
}

impl Entry<'_> {
    fn field(&self, name: &str) -> String {
        format!("disturb[{}].{name}", self.index)
    }

    fn fault(&mut self, name: &str, description: impl Into<String>) {
        self.check.fault(self.field(name), description);
    }

    fn read(&mut self, message: &v1::Disturbance, platform: Option<PlatformKind>) -> Option<Disturbance> {
        let v1::Disturbance { at, action, of, count, node, lasting } = message;
        let at = self.at(at.as_ref());
        let kind = self.kind(action, platform);
        let lasting = self.lasting(lasting.as_ref(), kind);
        let count = self.count(count, kind);
        let node = self.node(node, kind);
        let of = self.target(of.as_ref(), kind);
        let action = match kind? {
            Kind::DeletePods => Action::DeletePods { of: of??, count: count? },
            Kind::ScaleToZero => Action::ScaleToZero { of: of??, lasting: lasting? },
            Kind::Cordon => Action::Cordon { node: node?, lasting: lasting? },
            Kind::Drain => Action::Drain { node: node?, lasting: lasting? },
            Kind::Restart => Action::Restart { of: of?? },
            Kind::KillInstances => Action::KillInstances { count: count? },
            Kind::PauseInstances => Action::PauseInstances { count: count?, lasting: lasting? },
            Kind::RefuseStarts => Action::RefuseStarts { lasting: lasting? },
        };
        Some(Disturbance { at: at?, action })
    }

    fn at(&mut self, at: Option<&prost_types::Duration>) -> Option<Duration> {
        if at.is_none() {
            self.fault("at", "is missing; must be the time from the start of the load");
        }
        let field = self.field("at");
        self.check.duration(&field, at, Duration::ZERO, Duration::ZERO..=LONGEST)
    }

    fn kind(&mut self, action: &str, platform: Option<PlatformKind>) -> Option<Kind> {
        let field = self.field("do");
        let kind = self.check.named(&field, action, &Kind::ALL, Kind::as_str)?;
        let features = platform?.features();
        if features.disturbances.contains(&kind) {
            return Some(kind);
        }
        let name = features.name;
        let known: Vec<_> = features.disturbances.iter().map(|kind| kind.as_str()).collect();
        let rule = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        self.check.fault(field, format!("is {action}; on platform {name} it can be {rule}"));
        None
    }

    /// A fault for a field that the kind of action does not have.
    fn not_for(&mut self, name: &str, kind: Option<Kind>) {
        if let Some(kind) = kind {
            self.fault(name, format!("is not for {}", kind.as_str()));
        }
    }

    /// How long it lasts. The value is of use only to a kind that lasts.
    fn lasting(&mut self, lasting: Option<&prost_types::Duration>, kind: Option<Kind>) -> Option<Lasting> {
        match kind {
            Some(Kind::DeletePods | Kind::Restart | Kind::KillInstances) if lasting.is_some() => {
                self.not_for("for", kind);
                None
            }
            _ => {
                let field = self.field("for");
                let read = self.check.duration(&field, lasting, Duration::ZERO, Duration::from_millis(1)..=LONGEST)?;
                Some(lasting.map(|_| read))
            }
        }
    }

    fn count(&mut self, count: &str, kind: Option<Kind>) -> Option<Count> {
        let counted = matches!(kind, None | Some(Kind::DeletePods | Kind::KillInstances | Kind::PauseInstances));
        match count {
            "" => Some(Count::Number(1)),
            _ if !counted => {
                self.not_for("count", kind);
                None
            }
            "all" => Some(Count::All),
            number => {
                let read = number.parse().ok().filter(|count| (1..=MOST_COUNTED).contains(count));
                if read.is_none() {
                    self.fault("count", format!("is {number:?}; must be 1 to {MOST_COUNTED}, or all"));
                }
                read.map(Count::Number)
            }
        }
    }

    fn node(&mut self, node: &str, kind: Option<Kind>) -> Option<String> {
        match (kind, node) {
            (Some(Kind::Cordon | Kind::Drain), "") => {
                self.fault("node", "is missing; must be the name of a node");
                None
            }
            (_, "") => None,
            (Some(Kind::Cordon | Kind::Drain) | None, node) => {
                let valid = is_name(node, 253, |byte| byte == b'-' || byte == b'.');
                if !valid {
                    self.fault("node", format!("is {node:?}; must be the name of a node"));
                }
                valid.then(|| node.to_owned())
            }
            (Some(_), _) => {
                self.not_for("node", kind);
                None
            }
        }
    }

    /// The target; the inner value is absent when there is none.
    fn target(&mut self, of: Option<&v1::DisturbanceTarget>, kind: Option<Kind>) -> Option<Option<Target>> {
        let needed = matches!(kind, Some(Kind::DeletePods | Kind::ScaleToZero | Kind::Restart));
        let Some(message) = of else {
            if needed {
                let known = Component::ALL.map(Component::as_str).join(", ");
                let rule = format!("is missing; must be {known}, functions, or namespace and selector");
                self.fault("of", rule);
            }
            return (!needed).then_some(None);
        };
        if kind.is_some() && !needed {
            self.not_for("of", kind);
            return None;
        }
        let target = self.named_target(message)?;
        if matches!((kind, &target), (Some(Kind::ScaleToZero | Kind::Restart), Target::Functions)) {
            let rule = "is functions, whose Deployments Knative's own controllers put back at once; use deletePods";
            self.fault("of", rule);
            return None;
        }
        Some(Some(target))
    }

    fn named_target(&mut self, message: &v1::DisturbanceTarget) -> Option<Target> {
        let v1::DisturbanceTarget { component, namespace, selector } = message;
        if component.is_empty() {
            return self.selected(namespace, selector);
        }
        if !(namespace.is_empty() && selector.is_empty()) {
            self.fault("of", "has a component, and namespace or selector; must have only one of the two");
            return None;
        }
        let field = self.field("of");
        let all = Component::ALL.map(Some).into_iter().chain([None]).collect::<Vec<_>>();
        let name = |component: Option<Component>| component.map_or("functions", Component::as_str);
        let named = self.check.named(&field, component, &all, name)?;
        Some(named.map_or(Target::Functions, Target::Component))
    }

    fn selected(&mut self, namespace: &str, selector: &str) -> Option<Target> {
        let named = is_name(namespace, 63, |byte| byte == b'-');
        if !named {
            self.fault("of.namespace", format!("is {namespace:?}; must be the name of a namespace"));
        }
        let plain = !selector.is_empty()
            && selector.len() <= LONGEST_SELECTOR
            && !selector.contains(|character: char| character.is_control());
        if !plain {
            let rule = format!(
                "is {selector:?}; must be a label selector, such as app=web, of at most {LONGEST_SELECTOR} bytes"
            );
            self.fault("of.selector", rule);
        }
        (named && plain).then(|| Target::Selected { namespace: namespace.to_owned(), selector: selector.to_owned() })
    }
}

/// Whether a text is a name of Kubernetes: lower-case letters, digits and, inside, `punctuation`.
fn is_name(name: &str, longest: usize, punctuation: impl Fn(u8) -> bool) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.len() <= longest
        && bytes.first().copied().is_some_and(letter)
        && bytes.last().copied().is_some_and(letter)
        && bytes.iter().all(|&byte| letter(byte) || punctuation(byte))
}

/// A fault for each one that begins before an earlier one of what it changes is over: undoing the first would undo both.
fn overlaps(check: &mut Check, disturbances: &[Disturbance]) {
    for (index, later) in disturbances.iter().enumerate() {
        let conflicting = disturbances.iter().enumerate().find(|(other, earlier)| {
            let begins_before = (earlier.at, *other) < (later.at, index);
            begins_before && same_change(&earlier.action, &later.action) && !is_over(earlier, later.at)
        });
        if let Some((other, earlier)) = conflicting {
            let end = earlier.action.lasting().flatten().map(|lasting| earlier.at + lasting);
            let end = end.map_or("the end of the load".to_owned(), |end| time(end).to_string());
            let rule = format!("begins while disturb[{other}], which changes the same, lasts until {end}");
            check.fault(format!("disturb[{index}].at"), rule);
        }
    }
}

fn is_over(earlier: &Disturbance, at: Duration) -> bool {
    earlier.action.lasting().flatten().is_some_and(|lasting| earlier.at + lasting <= at)
}

/// Whether two actions change the same, for a while.
fn same_change(earlier: &Action, later: &Action) -> bool {
    match (earlier, later) {
        (Action::ScaleToZero { of, .. }, Action::ScaleToZero { of: other, .. }) => of == other,
        (
            Action::Cordon { node, .. } | Action::Drain { node, .. },
            Action::Cordon { node: other, .. } | Action::Drain { node: other, .. },
        ) => node == other,
        (Action::PauseInstances { .. }, Action::PauseInstances { .. })
        | (Action::RefuseStarts { .. }, Action::RefuseStarts { .. }) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
