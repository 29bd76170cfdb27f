using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Examples of one forward pass, padded on the right to the longest.</summary>
/// <param name="Input">What the model reads.</param>
/// <param name="Targets">[predicted tokens] int64: the ids to predict, in row order.</param>
/// <param name="Positions">[predicted tokens] int64: where in the flattened [batch * length] hidden states each one is predicted, or null
/// for "every position but each row's last".</param>
/// <param name="Tokens">The number of input tokens, padding left out.</param>
internal sealed record TrainingBatch(ModelInput Input, Tensor Targets, Tensor? Positions, int Tokens)
{
    /// <summary>Makes the tensors in the current dispose scope.</summary>
    public static TrainingBatch Create(IReadOnlyList<TrainingExample> examples, Device device)
    {
        var (rows, length) = (examples.Count, examples.Max(e => e.InputIds.Length));
        var inputIds = new long[rows * length];
        var sequenceIds = new long[rows * length];
        var positionIds = new long[rows * length];
        var targets = new List<long>(rows * length);
        var positions = new List<long>(rows * length);
        var packed = examples.Any(e => e.SequenceIds is not null);

        for (var row = 0; row < rows; row++)
        {
            var example = examples[row];
            var offset = row * length;
            for (var i = 0; i < example.InputIds.Length; i++)
            {
                inputIds[offset + i] = example.InputIds[i];
                sequenceIds[offset + i] = example.SequenceIds?[i] ?? 0;
                positionIds[offset + i] = i > 0 && sequenceIds[offset + i] == sequenceIds[offset + i - 1] ? positionIds[offset + i - 1] + 1
                    : 0;
                if (i > 0 && example.Labels[i] != TrainingExample.Ignored)
                {
                    targets.Add(example.Labels[i]);
                    positions.Add(offset + i - 1);
                }
            }
        }

        // Padding is on the right, where a causal model never looks from a real token: no mask is needed.
        var input = new ModelInput(Matrix(inputIds))
        {
            PositionIds = packed ? Matrix(positionIds) : null,
            SequenceIds = packed ? Matrix(sequenceIds) : null,
        };
        var predictsAll = positions.Count == rows * (length - 1);
        return new TrainingBatch(
            input,
            tensor(targets.ToArray(), device: device),
            predictsAll ? null : tensor(positions.ToArray(), device: device),
            examples.Sum(e => e.InputIds.Length));

        Tensor Matrix(long[] values) => tensor(values, [rows, length], device: device);
    }
}
