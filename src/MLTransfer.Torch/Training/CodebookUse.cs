using static TorchSharp.torch;

namespace MLTransfer.Torch.Training;

/// <summary>How evenly codewords are used.</summary>
internal static class CodebookUse
{
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
