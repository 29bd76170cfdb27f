using System.Text.Json.Nodes;
using MLTransfer.Torch.Networks.Codecs;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks;

/// <summary>A network that reads a caption and writes the codes of a picture, one after the other, row by row.</summary>
/// <remarks>B: batch, L: <see cref="TextLength"/>, S: <see cref="CodesPerSide"/> squared, K: <see cref="CodebookSize"/>.</remarks>
public abstract class TextToImageModel : GenerativeNetwork
{
    private protected TextToImageModel(string name, JsonObject configuration)
        : base(name, configuration)
    {
    }

    /// <summary>Makes codes of pictures and pictures of codes. It is part of this object, which is what to dispose, and
    /// frozen.</summary>
    public abstract ImageCodec Codec { get; }

    /// <summary>The most tokens of a caption.</summary>
    public abstract int TextLength { get; }

    /// <summary>The number of token ids of captions.</summary>
    public abstract int TextVocabularySize { get; }

    /// <summary>Codes along a picture's side.</summary>
    public abstract int CodesPerSide { get; }

    /// <summary>Codes that may be drawn: those less than that.</summary>
    public abstract int CodebookSize { get; }

    /// <summary>Logits of a position, of which those of codes are a part: what a share of them (<c>filter_thres</c>) is counted
    /// of.</summary>
    internal virtual int LogitsPerPosition => CodebookSize;

    /// <summary>
    /// A model with further tokens of captions, in evaluation mode and without adapters. Each starts from the mean of what its text was
    /// read as before; all else is as it was to the bit.
    /// </summary>
    /// <param name="known">How many tokens the captions' tokenizer had. A network may have rows for more, which no token has; they are
    /// given to new tokens.</param>
    /// <param name="pieces">For each new token the ids that its text had before; none where it had none.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer known tokens than one, or more than rows.</exception>
    /// <exception cref="InvalidOperationException">The model has adapters, or is quantized.</exception>
    internal abstract TextToImageModel WithTokens(int known, IReadOnlyList<int[]> pieces);

    /// <summary>The token ids, as many as the network reads, of a caption's, cut where it has more; of none where there is no caption
    /// (the condition that guidance and condition dropout leave out).</summary>
    /// <param name="caption">Ids of the caption's tokenizer, special ones included; null for no caption.</param>
    internal abstract int[] PadCaption(IReadOnlyList<int>? caption);

    /// <summary>The loss of training, with gradients, and its parts.</summary>
    /// <param name="text">Int64 [B, L], as <see cref="PadCaption"/> gives it.</param>
    /// <param name="codes">Int64 [B, S].</param>
    /// <returns>A number for each row: [B]; the mean over rows is the loss. And its parts without gradients, each [B], by name.</returns>
    internal abstract (Tensor Loss, IReadOnlyList<(string Name, Tensor Values)> Parts) RowLosses(Tensor text, Tensor codes);

    /// <summary>Begins to write codes for captions, each row as if it were alone.</summary>
    /// <param name="text">For each row the ids as <see cref="PadCaption"/> gives them.</param>
    internal abstract ICodeWriter CreateWriter(IReadOnlyList<int[]> text);

    /// <summary>A float32 network in evaluation mode with weights of its own, its codec's too, as one that is saved and loaded again;
    /// adapters are left out.</summary>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidOperationException">The network is quantized.</exception>
    internal abstract TextToImageModel Copy(Device? device = null);
}
