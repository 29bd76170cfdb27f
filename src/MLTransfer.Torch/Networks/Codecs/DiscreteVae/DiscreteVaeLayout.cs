using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>Encoder, codewords and decoder of a discrete VAE, and how they take and give pictures.</summary>
/// <remarks>B: batch, H, W: a picture's sides, h, w: those of its codes, V: codewords.</remarks>
internal abstract class DiscreteVaeLayout
{
    /// <summary>The pictures that it is made for.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Pixels along a code's side.</summary>
    public required int DownsamplingFactor { get; init; }

    /// <summary>V.</summary>
    public required int CodebookSize { get; init; }

    /// <summary>Feature maps of the widest tensor, times its pixels for one of the picture.</summary>
    public required long NumbersPerPixel { get; init; }

    /// <summary>Numbers that a training pass keeps for a pixel of a picture, those of the logits' size aside.</summary>
    public required double KeptPerPixel { get; init; }

    /// <summary>How it is trained where nobody says otherwise.</summary>
    public required DiscreteVaeObjective Objective { get; init; }

    /// <summary>The modules with their names, in the order of computation.</summary>
    public abstract IReadOnlyList<(string Name, nn.Module Module)> Modules { get; }

    /// <summary>Whether the decoder tells a scale beside each value, as the logit-Laplace distribution needs.</summary>
    public abstract bool HasScale { get; }

    /// <summary>Whether what <see cref="Normalize"/> gives is apart from 0 and 1, so that its logits are finite.</summary>
    public abstract bool HasMargin { get; }

    /// <summary>Whether the Kullback-Leibler divergence of the loss is a sum over a pass's pictures and codes; else it is their mean, times
    /// codes for each value of a picture.</summary>
    public abstract bool SumsDivergence { get; }

    /// <summary>Pictures [B, 3, H, W] in [0, 1] as the encoder reads them, and as the decoder is to give them.</summary>
    public abstract Tensor Normalize(Tensor images);

    /// <summary>Logits of codewords, [B, V, h, w], of pictures as <see cref="Normalize"/> gives them.</summary>
    public abstract Tensor Logits(Tensor input);

    /// <summary>The decoder's output for weights of codewords, [B, V, h, w], which sum to 1 at each place.</summary>
    /// <returns>[B, 3, H, W], or [B, 6, H, W] with logarithms of scales (<see cref="HasScale"/>).</returns>
    public abstract Tensor Decode(Tensor weights);

    /// <summary>The same for codes, [B, h, w].</summary>
    public abstract Tensor DecodeCodes(Tensor codes);

    /// <summary>What of an output is near to what <see cref="Normalize"/> gives: [B, 3, H, W].</summary>
    public abstract Tensor Prediction(Tensor output);

    /// <summary>Pictures [B, 3, H, W] in [0, 1] of outputs.</summary>
    public abstract Tensor ToImages(Tensor output);
}
