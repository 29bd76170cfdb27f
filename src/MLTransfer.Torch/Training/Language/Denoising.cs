using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training.Language;

/// <summary>How plain texts train an encoder with a decoder: by the noise that its family was pretrained with.</summary>
internal static class Denoising
{
    /// <summary>Makes the noise.</summary>
    /// <param name="model">The network.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="noiseDensity">The share of tokens that are left out; null for the family's.</param>
    /// <param name="meanSpanLength">The mean length of spans; null for the family's.</param>
    /// <exception cref="ArgumentException">The family has no such noise, or the tokenizer lacks a token for it.</exception>
    public static RowCorruption Of(EncoderDecoderModel model, TextTokenizer tokenizer, double? noiseDensity, double? meanSpanLength)
    {
        switch (model.Family.Noise)
        {
            case PretrainingNoise.Spans:
                var spans = new SpanCorruption(tokenizer, model.DecoderStartTokenId);
                return spans with
                {
                    NoiseDensity = noiseDensity ?? spans.NoiseDensity, MeanSpanLength = meanSpanLength ?? spans.MeanSpanLength,
                };
            case PretrainingNoise.Infilling:
                var infilling = new TextInfilling(tokenizer, model.DecoderStartTokenId);
                return infilling with
                {
                    NoiseDensity = noiseDensity ?? infilling.NoiseDensity, MeanSpanLength = meanSpanLength ?? infilling.MeanSpanLength,
                };
            default:
                throw new ArgumentException(
                    $"Plain texts do not train a {model.Family.ModelType}: train it on prompts and completions.", nameof(model));
        }
    }
}
