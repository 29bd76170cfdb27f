using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Examples of one forward pass, padded on the right to the longest.</summary>
/// <param name="Input">What the model reads; of networks with encoder and decoder what the decoder does.</param>
/// <param name="Targets">[predicted tokens] int64: the ids to predict, in row order.</param>
/// <param name="Positions">[predicted tokens] int64: where in the flattened [batch * length] hidden states each one is predicted, or null
/// for "every position but each row's last".</param>
/// <param name="Tokens">The number of input tokens, padding left out.</param>
internal sealed record TrainingBatch(ModelInput Input, Tensor Targets, Tensor? Positions, int Tokens)
{
    /// <summary>What the encoder reads, where there is one beside the decoder.</summary>
    public ModelInput? EncoderInput { get; init; }

    /// <summary>Makes the tensors in the current dispose scope.</summary>
    public static TrainingBatch Create(IReadOnlyList<TrainingExample> examples, Device device)
    {
        var (rows, length) = (examples.Count, examples.Max(e => e.InputIds.Length));
        var (inPlace, hasEncoder) = (examples[0].PredictsInPlace, examples[0].EncoderIds is not null);
        if (hasEncoder)
            length--; // what stands last only is predicted
        var inputIds = new long[rows * length];
        var sequenceIds = new long[rows * length];
        var positionIds = new long[rows * length];
        var targets = new List<long>(rows * length);
        var positions = new List<long>(rows * length);
        var packed = examples.Any(e => e.SequenceIds is not null);
        var shift = inPlace ? 0 : 1;

        for (var row = 0; row < rows; row++)
        {
            var example = examples[row];
            var offset = row * length;
            for (var i = 0; i < example.InputIds.Length; i++)
            {
                if (i >= shift && example.Labels[i] != TrainingExample.Ignored)
                {
                    targets.Add(example.Labels[i]);
                    positions.Add(offset + i - shift);
                }

                if (i == length)
                    break;
                inputIds[offset + i] = example.InputIds[i];
                sequenceIds[offset + i] = example.SequenceIds?[i] ?? 0;
                positionIds[offset + i] = i > 0 && sequenceIds[offset + i] == sequenceIds[offset + i - 1] ? positionIds[offset + i - 1] + 1
                    : 0;
            }
        }

        // Padding is on the right, where a causal model never looks from a real token: no mask is needed.
        var input = new ModelInput(Matrix(inputIds))
        {
            AttentionMask = inPlace ? Mask(examples.Select(e => e.InputIds.Length), length, device) : null,
            PositionIds = packed ? Matrix(positionIds) : null,
            SequenceIds = packed ? Matrix(sequenceIds) : null,
        };
        var predictsAll = !inPlace && !hasEncoder && positions.Count == rows * (length - 1);
        return new TrainingBatch(
            input,
            tensor(targets.ToArray(), device: device),
            predictsAll ? null : tensor(positions.ToArray(), device: device),
            examples.Sum(e => e.TokenCount))
        {
            EncoderInput = hasEncoder ? EncoderInputOf([.. examples.Select(e => e.EncoderIds!)], device) : null,
        };

        Tensor Matrix(long[] values) => tensor(values, [rows, length], device: device);
    }

    private static ModelInput EncoderInputOf(IReadOnlyList<int[]> rows, Device device)
    {
        var length = rows.Max(row => row.Length);
        var ids = new long[rows.Count * length];
        foreach (var (row, values) in rows.Index())
        {
            for (var i = 0; i < values.Length; i++)
                ids[row * length + i] = values[i];
        }

        return new ModelInput(tensor(ids, [rows.Count, length], device: device))
        {
            AttentionMask = Mask(rows.Select(row => row.Length), length, device),
        };
    }

    /// <summary>[rows, length] bool, false for padding; null where no row is padded.</summary>
    private static Tensor? Mask(IEnumerable<int> lengths, int length, Device device)
    {
        var ends = lengths.ToArray();
        if (Array.TrueForAll(ends, end => end == length))
            return null;
        var mask = new bool[ends.Length * length];
        foreach (var (row, end) in ends.Index())
            mask.AsSpan(row * length, end).Fill(true);
        return tensor(mask, [ends.Length, length], device: device);
    }
}
