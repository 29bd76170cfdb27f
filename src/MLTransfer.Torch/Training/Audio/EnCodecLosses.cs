using MLTransfer.Torch.Networks.Codecs.EnCodec;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>What a codec makes of rows of sound, and how far that is from them.</summary>
/// <param name="codec">The codec.</param>
/// <param name="options">Have the weights of losses.</param>
/// <param name="samples">Of a row.</param>
/// <param name="adversary">What the codec is trained against; null for nothing.</param>
internal sealed class EnCodecLosses(EnCodecModel codec, EnCodecTrainingOptions options, int samples, CodecAdversary? adversary)
    : IDisposable
{
    private readonly MultiScaleMelLoss _mel = new(codec.SampleRate, samples, codec.Device);

    public GradientBalancer Balancer { get; } = new();

    /// <summary>Decoded sounds [B, C, samples] of sounds of that shape, without gradients; codebooks stay as they are.</summary>
    public Tensor Decode(Tensor real, int codebooks)
    {
        using var scope = NewDisposeScope();
        return DecodeWithCodes(real, codebooks).Decoded.MoveToOuterDisposeScope();
    }

    /// <summary>The same with the codes [B, codebooks, T].</summary>
    public (Tensor Decoded, Tensor Codes) DecodeWithCodes(Tensor real, int codebooks)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var (embeddings, scale) = codec.EmbedChunk(real);
        var codes = codec.Quantizer.Encode(embeddings, codebooks);
        var decoded = Decode(codec.Quantizer.Decode(codes), scale, real.shape[2]);
        return (decoded.MoveToOuterDisposeScope(), codes.MoveToOuterDisposeScope());
    }

    /// <summary>The difference of mel spectrograms.</summary>
    public Tensor Mel(Tensor real, Tensor decoded) => _mel.Compute(real, decoded);

    /// <summary>Goes through rows, and leaves gradients at the codec's parameters.</summary>
    /// <param name="real">[B, C, samples].</param>
    /// <param name="quantize">Quantizes vectors, and lets codebooks learn.</param>
    /// <param name="hears">Whether discriminators have a say.</param>
    /// <param name="share">Of the step's rows.</param>
    /// <param name="sums">To which the losses are added.</param>
    /// <returns>The weighted sum of the losses, times the share.</returns>
    public double Backward(Tensor real, Func<Tensor, QuantizerTraining.Result> quantize, bool hears, double share, Sums sums)
    {
        var (embeddings, scale) = codec.EmbedChunk(real);
        var quantized = quantize(embeddings);
        var decoded = Decode(quantized.Quantized, scale, real.shape[2]);

        // Losses are of a leaf, so that the gradient by the decoded sounds can be balanced before it goes on into the codec.
        var leaf = decoded.detach().requires_grad_(true);
        var losses = new List<(string Name, double Weight, Tensor Loss)>
        {
            ("waveform", options.WaveformWeight, (real - leaf).abs().mean()), ("mel", options.MelWeight, Mel(real, leaf)),
        };
        if (hears)
        {
            var (adversarial, feature) = adversary!.Resist(real, leaf);
            losses.Add(("adversarial", options.Discriminator!.AdversarialWeight, adversarial));
            losses.Add(("feature", options.Discriminator.FeatureWeight, feature));
        }

        var gradient = Balancer.Gradient(losses, leaf, options.BalanceGradients);
        (((decoded * gradient).sum() + quantized.Commitment * options.CommitmentWeight) * share).backward();
        var values = losses.Select(loss => (double)loss.Loss.item<float>()).ToList();
        var commitment = (double)quantized.Commitment.item<float>();
        sums.Add(values, commitment, quantized.Perplexity, quantized.UsedShare, share);
        return share * (commitment * options.CommitmentWeight + losses.Zip(values, (loss, value) => loss.Weight * value).Sum());
    }

    /// <inheritdoc/>
    public void Dispose() => _mel.Dispose();

    private Tensor Decode(Tensor vectors, Tensor? scale, long length)
    {
        var decoded = codec.Decoder.Forward(vectors).narrow(2, 0, length);
        return scale is null ? decoded : decoded * scale.unsqueeze(2);
    }

    /// <summary>The losses of a step's passes, each by its share of the rows.</summary>
    public sealed class Sums
    {
        private readonly double[] _losses = new double[4]; // waveform, mel, adversarial, feature
        private (double Commitment, double Perplexity, double UsedShare) _quantized;
        private int _count;

        public void Add(IReadOnlyList<double> losses, double commitment, double perplexity, double usedShare, double share)
        {
            _count = losses.Count;
            for (var i = 0; i < losses.Count; i++)
                _losses[i] += losses[i] * share;
            _quantized.Commitment += commitment * share;
            _quantized.Perplexity += perplexity * share;
            _quantized.UsedShare += usedShare * share;
        }

        public EnCodecProgress AddTo(EnCodecProgress report) => report with
        {
            WaveformLoss = _losses[0],
            MelLoss = _losses[1],
            AdversarialLoss = _count > 2 ? _losses[2] : null,
            FeatureLoss = _count > 2 ? _losses[3] : null,
            CommitmentLoss = _quantized.Commitment,
            Perplexity = _quantized.Perplexity,
            UsedShare = _quantized.UsedShare,
        };
    }
}
