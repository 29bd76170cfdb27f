using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The mean over codebooks of the mean cross-entropy of each (arXiv 2306.05284), with all output heads.</summary>
internal static class MusicLoss
{
    /// <summary>Of each codebook the sum over predicted codes of -ln p(code), in nats.</summary>
    public static double[] Sums(MusicGenModel model, MusicTrainingBatch batch)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var captions = model.Encode(batch.Captions);
        var hidden = model.Decoder.ComputeHiddenStates(new ModelInput(batch.Inputs) { Encoded = captions }); // [B, T, C]
        var rows = hidden.view(-1, hidden.shape[2]);
        return
        [
            .. model.Decoder.Output.Heads.Zip(batch.Targets, (head, targets) => targets.Codes.shape[0] == 0 ? 0
                : LanguageModelLoss.SumHead(model.Decoder, head, rows.index_select(0, targets.Positions), targets.Codes)),
        ];
    }

    /// <summary>Adds the gradient of the loss to the gradients of the parameters that are not frozen.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="counts">For each codebook what its sum is divided by: the codes that the whole step predicts.</param>
    /// <param name="recomputation">Computes blocks twice to save memory; null for once.</param>
    /// <param name="frozen">Where frozen weights are that are not in memory; null where all are.</param>
    /// <returns>The batch's share of the loss.</returns>
    public static double Backward(
        MusicGenModel model, MusicTrainingBatch batch, IReadOnlyList<double> counts, BlockRecomputation? recomputation,
        FrozenWeights? frozen)
    {
        using var scope = NewDisposeScope();
        var words = new LookedUpRows(
            model.TextEncoder.Encoder!.Input.Tables[0], batch.Captions.InputIds, model.TextEncoder.DataType);
        Tensor text;
        using (words.Values.requires_grad ? null : no_grad())
        {
            text = model.TextEncoder.ComputeHiddenStates(
                words.Values.requires_grad ? batch.Captions with { InputEmbeddings = words.Values } : batch.Captions);
        }

        var projected = model.Project(text, batch.Captions.AttentionMask); // with the graph of the projection, and of a trained encoder

        // A leaf of the decoder's graph, so that the graph before it is gone through once.
        using var captions = new EncodedText(
            projected.detach().requires_grad_(projected.requires_grad), batch.Captions.AttentionMask);
        var tables = model.Decoder.Output.Input.Tables
            .Select((table, codebook) => new LookedUpRows(table, batch.Inputs.select(1, codebook).contiguous(), model.Decoder.DataType))
            .ToList();
        frozen?.ReleaseMemory(); // of tables
        var hidden = model.Decoder.ComputeHiddenStates(new ModelInput(batch.Inputs)
        {
            InputEmbeddings = tables.Select(table => table.Values).Aggregate((sum, values) => sum + values),
            Encoded = captions,
            Recomputation = recomputation,
        });
        var rows = hidden.view(-1, hidden.shape[2]); // [B * T, C], with the graph behind it
        var (loss, gradient) = BackwardHeads(model, rows.detach(), batch, counts);
        if (rows.requires_grad)
            autograd.backward(rows, gradient);
        recomputation?.Backward();
        tables.ForEach(table => table.Backward());
        if (captions.HiddenStates.grad is { } ofCaptions)
            autograd.backward(projected, ofCaptions);
        words.Backward();
        return loss;
    }

    /// <summary>The loss and its gradient by what heads read, [B * T, C]; those of heads are added to where gradients are.</summary>
    private static (double Loss, Tensor Gradient) BackwardHeads(
        MusicGenModel model, Tensor rows, MusicTrainingBatch batch, IReadOnlyList<double> counts)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var gradient = zeros_like(rows);
        double loss = 0;
        foreach (var (codebook, (codes, positions)) in batch.Targets.Index())
        {
            if (codes.shape[0] == 0)
                continue;
            var factor = 1 / (counts[codebook] * model.Codebooks);
            var (sum, own) = LanguageModelLoss.BackwardHead(
                model.Decoder, model.Decoder.Output.Heads[codebook], rows.index_select(0, positions), codes, factor);
            gradient.index_add_(0, positions, own, 1);
            loss += sum * factor;
        }

        return (loss, gradient.MoveToOuterDisposeScope());
    }
}
