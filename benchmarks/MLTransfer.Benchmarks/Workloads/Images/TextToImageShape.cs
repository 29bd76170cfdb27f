namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>Sizes of a network from captions to codes of pictures.</summary>
/// <param name="Width">Of the residual stream.</param>
/// <param name="Inner">Of the feed-forward.</param>
/// <param name="Heads">Of attention.</param>
/// <param name="Depth">Layers, of encoder and decoder each where there are both.</param>
/// <param name="TextVocabulary">Token ids of captions.</param>
/// <param name="TextLength">Tokens of a caption.</param>
/// <param name="Side">Codes along a picture's side.</param>
/// <param name="Codebook">Different codes.</param>
internal sealed record TextToImageShape(
    int Width, int Inner, int Heads, int Depth, int TextVocabulary, int TextLength, int Side, int Codebook)
{
    public int Codes => Side * Side;

    /// <summary>DALL-E's text tokens with those of padding.</summary>
    public int TextRows => TextVocabulary + TextLength;
}
