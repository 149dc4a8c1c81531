"""What each normal image of a trial is for, and the network that its memory goes into."""

from __future__ import annotations

from dataclasses import replace

from memseg.data.product import Product
from memseg.data.roles import Roles, assign_roles
from memseg.model.network import MemSegNet, build_network
from memseg.model.selection import feature_distances, representative_order
from memseg.model.weights import EncoderWeights
from memseg.training.execution import Execution
from orchestrator.planning.trial import Trial


def trial_roles(trial: Trial, product: Product) -> Roles:
    """Which training images are held out, in the memory and trained on, by content alone.

    Raises DataError.
    """
    config = trial.method
    return assign_roles(
        product.train_hashes,
        trial.seed,
        config.memory.samples,
        config.validation.held_out_share,
        config.validation.held_out_least,
        config.validation.held_out_most,
        config.training.batch_size,
        trial.category,
        config.memory.most_share,
    )


def network_of(
    trial: Trial, product: Product, encoder: EncoderWeights, execution: Execution
) -> tuple[MemSegNet, Roles]:
    """The network before its first step, placed, and the roles. Raises DataError.

    With memory.selection "representative" the first network serves to look at the images. Without
    a memory the same images are left out of training, so that the memory is all that differs.
    """
    roles = trial_roles(trial, product)
    network = _placed(trial, product, roles, encoder, execution)
    if trial.method.memory.selection == "random":
        return network, roles
    candidates = sorted((*roles.memory, *roles.training))
    between = feature_distances(network.trunk, product.train[candidates])
    memory = [candidates[i] for i in representative_order(between, len(roles.memory))]
    training = tuple(sorted(set(candidates) - set(memory)))
    roles = replace(roles, memory=tuple(memory), training=training)
    return _placed(trial, product, roles, encoder, execution), roles


def _placed(
    trial: Trial, product: Product, roles: Roles, encoder: EncoderWeights, execution: Execution
) -> MemSegNet:
    network = build_network(trial.method, product.train[list(roles.memory)], encoder, trial.seed)
    execution.place(network)
    return network
