using MLTransfer.Torch.Networks;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Images;

/// <summary>Rows as the tensors that a network reads, and what it makes of them.</summary>
/// <param name="Text">Int64 [B, L].</param>
/// <param name="Codes">Int64 [B, S].</param>
internal sealed record TextToImageBatch(Tensor Text, Tensor Codes)
{
    /// <summary>Makes the tensors in the current dispose scope.</summary>
    public static TextToImageBatch Create(TextToImageModel model, IReadOnlyList<TextToImageRow> rows)
    {
        var silent = model.PadCaption(null);
        var text = rows.SelectMany(row => row.Text ?? silent).Select(id => (long)id).ToArray();
        var codes = rows.SelectMany(row => row.Codes).Select(code => (long)code).ToArray();
        return new(
            tensor(text, [rows.Count, silent.Length], device: model.Device),
            tensor(codes, [rows.Count, rows[0].Codes.Length], device: model.Device));
    }

    /// <summary>Adds up the loss and its parts over rows.</summary>
    /// <param name="model">The network.</param>
    /// <param name="sums">Of the parts, by name; they are added to.</param>
    /// <returns>The sum over rows of the loss, with its graph, a scalar.</returns>
    public Tensor SumLosses(TextToImageModel model, Dictionary<string, double> sums)
    {
        var (loss, parts) = model.RowLosses(Text, Codes);
        foreach (var (name, values) in parts)
            sums[name] = sums.GetValueOrDefault(name) + values.to(ScalarType.Float64).sum().item<double>();
        return loss.to(ScalarType.Float32).sum();
    }
}
