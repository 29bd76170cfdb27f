using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MLTransfer.Torch.Training.LatentProjection;

/// <summary>Keeps noise maps noise (arXiv 1912.04958, appendix D).</summary>
internal static class NoiseRegularization
{
    private const long SmallestSide = 8;

    /// <summary>
    /// The squared mean product of each pixel with the one to its right, and with the one below, summed over the map and its halvings down
    /// to 8 x 8 pixels.
    /// </summary>
    /// <param name="map">[N, 1, R, R].</param>
    /// <returns>[N].</returns>
    public static Tensor Of(Tensor map)
    {
        using var scope = NewDisposeScope();
        var sum = Product(map, 3) + Product(map, 2);
        while (map.shape[2] > SmallestSide)
        {
            map = F.avg_pool2d(map, 2) * 2; // four normal numbers' mean has half their deviation
            sum = sum + Product(map, 3) + Product(map, 2);
        }

        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>Brings each map to mean 0 and mean square 1.</summary>
    public static void Normalize(Tensor map)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        map.sub_(map.mean([1, 2, 3], keepdim: true));
        map.mul_(map.square().mean([1, 2, 3], keepdim: true).rsqrt());
    }

    private static Tensor Product(Tensor map, long dimension) => (map * map.roll(1, dimension)).mean([1, 2, 3]).square();
}
