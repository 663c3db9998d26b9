//! A state tree of labels and values whose hashes are kept up to date, and proofs from it. It knows
//! no canister.
//!
//! Source: interface specification, sections "Certification" and "Lookup".

use ic_certified_map::{AsHashTree, Hash, HashTree, RbTree, leaf_hash};

/// Bytes between two slashes of a path.
pub(crate) type Label = Vec<u8>;

/// A value, or what hangs under labels.
pub(crate) enum Node {
    Leaf(Vec<u8>),
    Branch(Branch),
}

/// Nodes by label.
pub(crate) type Branch = RbTree<Label, Node>;

impl Node {
    /// A branch of these nodes.
    pub(crate) fn branch<const N: usize>(nodes: [(&str, Node); N]) -> Node {
        let nodes = nodes.into_iter();
        Node::Branch(nodes.map(|(label, node)| (label.into(), node)).collect())
    }

    /// What is at `path`, or where a search for it ends, and the hashes of all else.
    pub(crate) fn witness(&self, path: &[Label]) -> HashTree<'_> {
        match (self, path) {
            (Node::Branch(branch), [label, rest @ ..]) => {
                branch.nested_witness(label, |node| node.witness(rest))
            }
            (node, _) => node.as_hash_tree(),
        }
    }

    /// The branch under `label` of this one; `None` when there is none.
    pub(crate) fn change(&mut self, label: &str, change: impl FnOnce(&mut Branch)) {
        if let Node::Branch(branch) = self {
            branch.modify(label.as_bytes(), |node| {
                if let Node::Branch(branch) = node {
                    change(branch);
                }
            });
        }
    }

    /// Puts `node` under `label`.
    pub(crate) fn put(&mut self, label: &str, node: Node) {
        if let Node::Branch(branch) = self {
            branch.insert(label.into(), node);
        }
    }
}

impl AsHashTree for Node {
    fn root_hash(&self) -> Hash {
        match self {
            Node::Leaf(bytes) => leaf_hash(bytes),
            Node::Branch(branch) => branch.root_hash(),
        }
    }

    fn as_hash_tree(&self) -> HashTree<'_> {
        match self {
            Node::Leaf(bytes) => bytes.as_hash_tree(),
            Node::Branch(branch) => branch.as_hash_tree(),
        }
    }
}

/// One proof of all that two proofs of the same tree show.
pub(crate) fn merged<'a>(left: HashTree<'a>, right: HashTree<'a>) -> HashTree<'a> {
    match (left, right) {
        (HashTree::Pruned(_), shown) | (shown, HashTree::Pruned(_)) => shown,
        (HashTree::Fork(left), HashTree::Fork(right)) => {
            let (a, b) = *left;
            let (c, d) = *right;
            HashTree::Fork(Box::new((merged(a, c), merged(b, d))))
        }
        (HashTree::Labeled(label, left), HashTree::Labeled(_, right)) => {
            HashTree::Labeled(label, Box::new(merged(*left, *right)))
        }
        (same, _) => same,
    }
}

#[cfg(test)]
mod tests {
    use super::{Branch, Node, merged};
    use ic_certified_map::AsHashTree;

    #[test]
    fn proofs_of_one_tree_have_its_hash_and_show_what_was_asked() {
        let letters = (b'b'..b'y').step_by(2);
        let letters: Branch = letters
            .map(|letter| (vec![letter], Node::Leaf(vec![letter, letter])))
            .collect();
        let tree = Node::branch([
            ("letters", Node::Branch(letters)),
            ("time", Node::Leaf(vec![1])),
        ]);
        let path = |labels: &[&str]| -> Vec<Vec<u8>> {
            labels.iter().map(|label| label.as_bytes().into()).collect()
        };
        let (there, absent, time) = (["letters", "h"], ["letters", "i"], ["time"]);
        let proof = tree.witness(&path(&there));
        let proof = merged(proof, tree.witness(&path(&absent)));
        let proof = merged(tree.witness(&path(&time)), proof);
        assert_eq!(proof.reconstruct(), tree.root_hash());
        let shown = format!("{proof:?}");
        for leaf in ["[104, 104]", "Labeled([106]", "Leaf([1])"] {
            assert!(shown.contains(leaf), "{leaf} in {shown}");
        }
        assert!(!shown.contains("[98, 98]"), "{shown}");
    }
}
