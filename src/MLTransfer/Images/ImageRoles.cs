using MLTransfer.Columns;

namespace MLTransfer.Images;

/// <summary>The columns that an image generator of a kind reads, or that one of any kind may read.</summary>
internal static class ImageRoles
{
    /// <param name="kind">The network's kind, as far as it is known.</param>
    /// <param name="ofStyleGan2">What a StyleGAN2 reads.</param>
    /// <param name="ofTextToImage">What a network that writes codes reads.</param>
    public static IEnumerable<ColumnRole> Of(
        ImageNetworkKind kind, IEnumerable<ColumnRole> ofStyleGan2, IEnumerable<ColumnRole> ofTextToImage) => kind switch
    {
        ImageNetworkKind.StyleGan2 => ofStyleGan2,
        ImageNetworkKind.TextToImage => ofTextToImage,
        _ => ofStyleGan2.Concat(ofTextToImage).GroupBy(role => role.Purpose).Select(Join),
    };

    private static ColumnRole Join(IEnumerable<ColumnRole> roles) => roles.Aggregate((one, other) => one with
    {
        Accepted = one.Accepted | other.Accepted,
        Expected = one.Expected == other.Expected ? one.Expected : $"{one.Expected}; or {other.Expected}",
        IsOptional = one.IsOptional || other.IsOptional,
    });
}
