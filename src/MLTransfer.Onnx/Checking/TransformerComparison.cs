using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Checking;

/// <summary>How far parts of a larger network are from the engine, in units of the largest number.</summary>
internal static class TransformerComparison
{
    /// <summary>What is masked in logits is at or below.</summary>
    private const float Masked = -6e4f;

    /// <summary>Hidden states of an encoder, padding aside.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ids">[batch, length] int64.</param>
    /// <param name="mask">[batch, length], 1 for real tokens.</param>
    /// <param name="wanted">[batch, length, width].</param>
    public static double OfEncoder(string path, Tensor ids, Tensor mask, Tensor wanted)
    {
        using var session = new OnnxModelSession(ExportedSession.Open(path, Path.GetFileName(path)));
        var found = session.Run((OnnxModelSession.InputIds, ids), (OnnxModelSession.AttentionMask, mask));
        var real = mask.unsqueeze(-1).cpu();
        return Difference(wanted.to(ScalarType.Float32, CPU) * real, found * real);
    }

    /// <summary>Logits of a sequence that is read in two parts.</summary>
    /// <param name="wanted">[batch, positions, ids] float32 on the CPU, below <see cref="Masked"/> where an id may not be drawn.</param>
    /// <param name="run">Reads so many positions from one on.</param>
    /// <param name="first">The positions of the first part; about half where null.</param>
    public static double InParts(Tensor wanted, Func<long, long, Tensor> run, long? first = null)
    {
        var (length, start) = (wanted.shape[1], Math.Min(first ?? (wanted.shape[1] + 1) / 2, wanted.shape[1]));
        var difference = Difference(wanted.narrow(1, 0, start), run(0, start));
        return start == length ? difference : Math.Max(
            difference, Difference(wanted.narrow(1, start, length - start), run(start, length - start)));
    }

    /// <summary>The largest difference; infinite where shapes differ, or what is masked.</summary>
    public static double Difference(Tensor wanted, Tensor found)
    {
        if (!wanted.shape.SequenceEqual(found.shape))
            return double.PositiveInfinity;
        var masked = wanted.le(Masked);
        if (!masked.equal(found.le(Masked)).all().item<bool>())
            return double.PositiveInfinity;
        var (a, b) = (wanted.masked_fill(masked, 0), found.masked_fill(masked, 0));
        return (b - a).abs().max().ToDouble() / Math.Max(1, a.abs().max().ToDouble());
    }
}
