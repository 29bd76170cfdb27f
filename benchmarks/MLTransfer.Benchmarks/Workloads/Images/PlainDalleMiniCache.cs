using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>What a decoder's layer keeps.</summary>
/// <param name="Own">Keys and values of codes.</param>
/// <param name="CaptionKeys">Of captions, which stay as they are.</param>
/// <param name="CaptionValues">Of captions.</param>
internal sealed record PlainDalleMiniCache(PlainKeyValueCache Own, Tensor CaptionKeys, Tensor CaptionValues) : IDisposable
{
    public (Tensor Keys, Tensor Values) Captions => (CaptionKeys, CaptionValues);

    public void Dispose()
    {
        Own.Dispose();
        CaptionKeys.Dispose();
        CaptionValues.Dispose();
    }
}
