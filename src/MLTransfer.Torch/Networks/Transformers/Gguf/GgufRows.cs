using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>Which row of a parameter each row of a file is. It is counted out only where a tensor has as many rows.</summary>
/// <param name="Count">The rows of the file.</param>
/// <param name="Of">The parameter's row for a row of the file.</param>
internal sealed record GgufRows(long Count, Func<long, long> Of)
{
    /// <summary>The parameter's row for each row of the file: [rows] int64.</summary>
    public Tensor ToTensor()
    {
        var rows = new long[Count];
        for (var row = 0; row < rows.Length; row++)
            rows[row] = Of(row);
        return tensor(rows);
    }
}
