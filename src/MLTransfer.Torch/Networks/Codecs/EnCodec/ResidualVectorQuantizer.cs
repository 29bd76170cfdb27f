using System.Globalization;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>Codebooks, each of which quantizes what those before it left (arXiv 2107.03312, algorithm 1).</summary>
/// <remarks>B: batch, D: width, T: frames, Q: codebooks in use.</remarks>
internal sealed class ResidualVectorQuantizer : NamedModule
{
    private readonly Codebook[] _codebooks;

    /// <param name="weights">Has <c>layers.0.codebook</c> and so on.</param>
    /// <param name="configuration">Of the codec.</param>
    public ResidualVectorQuantizer(WeightScope weights, EnCodecConfiguration configuration)
        : base(nameof(ResidualVectorQuantizer))
    {
        _codebooks = new Codebook[configuration.Codebooks];
        for (var layer = 0; layer < _codebooks.Length; layer++)
        {
            var place = $"layers.{layer.ToString(CultureInfo.InvariantCulture)}.codebook";
            _codebooks[layer] = new Codebook(weights.Scope(place), configuration.CodebookSize, configuration.HiddenWidth);
            ModuleNode.Add(this, place, _codebooks[layer]);
        }
    }

    public IReadOnlyList<Codebook> Codebooks => _codebooks;

    /// <summary>[B, D, T] to codes [B, Q, T].</summary>
    /// <param name="embeddings">What is quantized.</param>
    /// <param name="count">Q.</param>
    public Tensor Encode(Tensor embeddings, int count)
    {
        using var scope = NewDisposeScope();
        var (batch, frames) = (embeddings.shape[0], embeddings.shape[2]);
        var residual = embeddings.transpose(1, 2).reshape(batch * frames, -1);
        var codes = new Tensor[count];
        for (var layer = 0; layer < count; layer++)
        {
            codes[layer] = _codebooks[layer].Nearest(residual);
            residual = residual - _codebooks[layer].Look(codes[layer]);
        }

        return stack(codes).view(count, batch, frames).transpose(0, 1).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Codes [B, Q, T] to [B, D, T].</summary>
    public Tensor Decode(Tensor codes)
    {
        using var scope = NewDisposeScope();
        var sum = _codebooks[0].Look(codes.select(1, 0));
        for (var layer = 1; layer < codes.shape[1]; layer++)
            sum = sum + _codebooks[layer].Look(codes.select(1, layer));
        return sum.transpose(1, 2).MoveToOuterDisposeScope();
    }
}
