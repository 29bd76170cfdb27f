using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks;

namespace MLTransfer.Torch.Generation.Images;

/// <summary>
/// A network that reads captions and writes the codes of pictures, with its codec, whatever library computes it. For several threads at
/// once.
/// </summary>
internal interface ITextToImageDecoder
{
    /// <summary>Codes along a picture's side.</summary>
    int CodesPerSide { get; }

    /// <summary>The number of codes that may be drawn.</summary>
    int CodebookSize { get; }

    /// <summary>Logits of a position, of which those of codes are a part.</summary>
    int LogitsPerPosition { get; }

    /// <summary>The number of token ids of captions.</summary>
    int CaptionVocabulary { get; }

    /// <summary>Pixels along a picture's side.</summary>
    int PictureSize { get; }

    /// <summary>The most rows that are read together such that each gets the bits that it would get alone.</summary>
    int MostRows { get; }

    /// <summary>Begins a generation, during which the network stays even if it is disposed.</summary>
    /// <exception cref="InvalidOperationException">The network is not in the state to generate.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    UseCount.Hold Hold();

    /// <summary>The ids that the network reads for a caption's; of none for null.</summary>
    int[] PadCaption(IReadOnlyList<int>? caption);

    /// <summary>Begins to write codes, while the network is held.</summary>
    /// <param name="text">For each row what <see cref="PadCaption"/> gave.</param>
    ICodeWriter CreateWriter(IReadOnlyList<int[]> text);

    /// <summary>The codes of a picture, row by row.</summary>
    /// <param name="pixels">[3, side, side] of <see cref="PictureSize"/>, from 0 to 1.</param>
    /// <exception cref="NotSupportedException">There is nothing that encodes pictures.</exception>
    int[] EncodePicture(float[] pixels);

    /// <summary>The picture of codes: [3, side, side] of <see cref="PictureSize"/>, from 0 to 1.</summary>
    float[] DecodePicture(IReadOnlyList<int> codes);
}
