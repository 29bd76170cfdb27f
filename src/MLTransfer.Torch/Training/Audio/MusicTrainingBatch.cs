using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>Rows of one pass, padded on the right to the longest.</summary>
/// <param name="Captions">What the text encoder reads; the mask of a row without a caption is 0 throughout.</param>
/// <param name="Inputs">[batch, codebooks, length] int64: the start column and all labels but the last.</param>
/// <param name="Targets">For each codebook the codes to predict, [predicted] int64, and where in the flattened [batch * length].</param>
internal sealed record MusicTrainingBatch(
    ModelInput Captions, Tensor Inputs, IReadOnlyList<(Tensor Codes, Tensor Positions)> Targets)
{
    /// <summary>Makes the tensors in the current dispose scope.</summary>
    public static MusicTrainingBatch Create(MusicGenModel model, IReadOnlyList<MusicTrainingRow> rows)
    {
        var (codebooks, length) = (model.Codebooks, rows.Max(row => row.Length));
        var (padding, device) = (model.Pattern.PaddingId, model.Device);
        var inputs = new long[rows.Count * codebooks * length];
        var targets = new List<(Tensor, Tensor)>();
        Array.Fill(inputs, padding);
        for (var codebook = 0; codebook < codebooks; codebook++)
        {
            var (codes, positions) = (new List<long>(), new List<long>());
            for (var row = 0; row < rows.Count; row++)
            {
                var labels = rows[row].Labels[codebook];
                var input = inputs.AsSpan((row * codebooks + codebook) * length, length);
                input[0] = model.StartId;
                for (var column = 0; column < labels.Length; column++)
                {
                    if (column + 1 < length)
                        input[column + 1] = labels[column] == MusicTrainingRow.Ignored ? padding : labels[column];
                    if (!IsPredicted(labels[column], padding))
                        continue;
                    codes.Add(labels[column]);
                    positions.Add((long)row * length + column);
                }
            }

            targets.Add((tensor(codes.ToArray(), device: device), tensor(positions.ToArray(), device: device)));
        }

        return new(CaptionsOf(rows, device), tensor(inputs, [rows.Count, codebooks, length], device: device), targets);
    }

    /// <summary>How many codes of each codebook rows predict.</summary>
    public static double[] CountPredicted(IEnumerable<MusicTrainingRow> rows, int codebooks, int padding)
    {
        var counts = new double[codebooks];
        foreach (var row in rows)
        {
            for (var codebook = 0; codebook < codebooks; codebook++)
                counts[codebook] += row.Labels[codebook].Count(label => IsPredicted(label, padding));
        }

        return counts;
    }

    private static bool IsPredicted(int label, int padding) => label != padding && label != MusicTrainingRow.Ignored;

    private static ModelInput CaptionsOf(IReadOnlyList<MusicTrainingRow> rows, Device device)
    {
        var length = Math.Max(1, rows.Max(row => row.CaptionIds?.Length ?? 0));
        var (ids, mask) = (new long[rows.Count * length], new long[rows.Count * length]);
        foreach (var (row, caption) in rows.Select(row => row.CaptionIds ?? []).Index())
        {
            for (var i = 0; i < caption.Length; i++)
                (ids[row * length + i], mask[row * length + i]) = (caption[i], 1);
        }

        return new ModelInput(tensor(ids, [rows.Count, length], device: device))
        {
            AttentionMask = mask.Contains(0) ? tensor(mask, [rows.Count, length], device: device) : null,
        };
    }
}
