//! Whether instances find a node each: the sum of what is free says less, as an instance is not divided.

use crate::platform::{Amounts, NodeRoom};

/// How many of so many instances find a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Instances in all.
    pub instances: u64,
    /// Those that find one.
    pub placed: u64,
}

/// Places instances on nodes, those that request most first, each on the first node that has room. A scheduler that spreads them
/// may place fewer.
pub fn place(nodes: &[NodeRoom], instances: impl Iterator<Item = (Amounts, u32)>) -> Placement {
    let mut sizes: Vec<_> = instances.filter(|(_, number)| *number > 0).collect();
    sizes.sort_unstable_by_key(|(size, _)| std::cmp::Reverse((size.millicores, size.mib)));
    let mut free: Vec<_> = nodes.iter().map(NodeRoom::free).collect();
    let mut placement = Placement { instances: 0, placed: 0 };
    for (size, number) in sizes {
        let mut left = u64::from(number);
        placement.instances += left;
        for node in &mut free {
            let here = node.fits(size).min(left);
            *node = node.less(size.times(here));
            left -= here;
            placement.placed += here;
            if left == 0 {
                break;
            }
        }
    }
    placement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_on_one_node() {
        let node = |millicores| NodeRoom {
            name: String::new(),
            allocatable: Amounts { millicores, mib: 1000, instances: 3 },
            requested: Amounts::default(),
        };
        let size = |millicores| Amounts { millicores, mib: 10, instances: 1 };
        for (nodes, instances, placed) in [
            (vec![node(600), node(600)], vec![(size(400), 2)], 2),
            (vec![node(600), node(600)], vec![(size(400), 3)], 2),
            // The large one goes first.
            (vec![node(600)], vec![(size(100), 3), (size(500), 1)], 2),
            // Three instances on each node, whatever else is free.
            (vec![node(600), node(600)], vec![(size(1), 9)], 6),
            (vec![], vec![(size(1), 2)], 0),
            (vec![node(600)], vec![(size(1), 0)], 0),
        ] {
            let asked = instances.iter().map(|(_, number)| u64::from(*number)).sum();
            let found = place(&nodes, instances.clone().into_iter());
            assert_eq!(found, Placement { instances: asked, placed }, "{instances:?}");
        }
    }
}
