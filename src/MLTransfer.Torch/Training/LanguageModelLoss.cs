using MLTransfer.Torch.Models;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Training;

/// <summary>Next-token cross-entropy.</summary>
internal static class LanguageModelLoss
{
    /// <summary>The sum over a batch's predicted tokens of -ln p(token), a scalar in nats.</summary>
    public static Tensor Sum(CausalLanguageModel model, TrainingBatch batch)
    {
        using var scope = NewDisposeScope();
        var hidden = model.ComputeHiddenStates(batch.Input); // [B, T, C]
        var width = hidden.shape[2];

        // The output head is the widest matrix of the model: only positions that count in the loss go through it.
        var rows = batch.Positions is null
            ? hidden.narrow(1, 0, hidden.shape[1] - 1).reshape(-1, width)
            : hidden.view(-1, width).index_select(0, batch.Positions);
        var logits = model.ComputeLogits(rows); // [predicted tokens, vocabulary]
        return F.cross_entropy(logits, batch.Targets, reduction: nn.Reduction.Sum).MoveToOuterDisposeScope();
    }
}
