using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>How evenly codewords are used.</summary>
internal static class CodebookUse
{
    /// <summary>Uses [...] with those that other processes counted, in the current dispose scope.</summary>
    /// <param name="uses">Counts.</param>
    /// <param name="sum">Puts sums over all processes in the place of numbers.</param>
    public static Tensor Sum(Tensor uses, Action<double[]> sum)
    {
        using var scope = NewDisposeScope();
        var counts = uses.to(ScalarType.Float64).cpu().flatten().data<double>().ToArray();
        sum(counts);
        return tensor(counts).view(uses.shape).to(uses.dtype).to(uses.device).MoveToOuterDisposeScope();
    }

    /// <summary>Into how many codewords of even use as many uses [K] would fit.</summary>
    public static double Perplexity(Tensor uses)
    {
        using var scope = NewDisposeScope();
        var shares = uses.to(ScalarType.Float64) / uses.sum().to(ScalarType.Float64);
        return Math.Exp(-(shares * (shares + 1e-12).log()).sum().item<double>());
    }

    /// <summary>The share of codewords with any uses.</summary>
    public static double Share(Tensor uses)
    {
        using var scope = NewDisposeScope();
        return (uses > 0).to(ScalarType.Float32).mean().item<float>();
    }
}
