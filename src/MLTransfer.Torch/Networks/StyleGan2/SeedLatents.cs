using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>The latent vectors that seeds stand for.</summary>
internal static class SeedLatents
{
    /// <summary>For each seed what <c>torch.randn(1, width)</c> draws after <c>torch.manual_seed(seed)</c>: [seeds, width].</summary>
    public static Tensor Create(IEnumerable<long> seeds, int width)
    {
        using var scope = NewDisposeScope();
        var rows = seeds.Select(seed =>
        {
            using var random = new Generator((ulong)seed); // of its own: other threads draw from the process's
            return randn([1, width], ScalarType.Float32, generator: random);
        }).ToList();
        return cat(rows, 0).MoveToOuterDisposeScope();
    }
}
