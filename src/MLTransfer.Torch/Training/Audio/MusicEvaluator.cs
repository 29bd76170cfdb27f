using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Ranks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>Measures the loss of a MusicGen on music.</summary>
public static class MusicEvaluator
{
    /// <summary>The cross-entropy of all codes, with their captions.</summary>
    /// <param name="model">The model; left in evaluation mode.</param>
    /// <param name="examples">The music; what is longer than 30 seconds, or than the context, is cut.</param>
    /// <param name="tokenizer">The text encoder's; null where there are no captions.</param>
    /// <param name="batchSize">Rows of one forward pass. The result does not depend on it.</param>
    /// <param name="cancellationToken">Checked before every pass.</param>
    /// <exception cref="ArgumentException">There is no music, or it does not fit the model.</exception>
    public static MusicEvaluationResult Evaluate(
        MusicGenModel model, IReadOnlyList<MusicExample> examples, TextTokenizer? tokenizer, int batchSize = 2,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        using var hold = model.Hold();
        var rows = MusicRows.Read(model, tokenizer, examples, new MusicTrainingOptions().MaximumSeconds, nameof(examples));
        if (rows.Count == 0)
            throw new ArgumentException("There is no music to evaluate with.", nameof(examples));
        return Evaluate(model, rows, batchSize, RunRanks.Alone, cancellationToken);
    }

    internal static MusicEvaluationResult Evaluate(
        MusicGenModel model, IReadOnlyList<MusicTrainingRow> rows, int batchSize, RunRanks ranks,
        CancellationToken cancellationToken)
    {
        model.eval();
        var sums = new double[model.Codebooks];
        foreach (var part in ranks.Share(rows).Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            foreach (var (codebook, sum) in MusicLoss.Sums(model, MusicTrainingBatch.Create(model, part)).Index())
                sums[codebook] += sum;
        }

        ranks.Sum(sums);
        var counts = MusicTrainingBatch.CountPredicted(rows, model.Codebooks, model.Pattern.PaddingId);
        return new MusicEvaluationResult([.. sums.Zip(counts, (sum, count) => sum / Math.Max(1, count))]);
    }
}
