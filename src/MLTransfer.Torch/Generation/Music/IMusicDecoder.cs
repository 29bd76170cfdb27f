using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Generation.Music;

/// <summary>
/// A network that reads captions and columns of codes and gives the logits of the next column, with its codec, whatever library computes
/// it. For several threads at once.
/// </summary>
internal interface IMusicDecoder
{
    /// <summary>The number of codebooks of a frame; of stereo both channels'.</summary>
    int Codebooks { get; }

    /// <summary>The number of codes of a codebook.</summary>
    int CodebookSize { get; }

    /// <summary>1 for mono, 2 for stereo.</summary>
    int Channels { get; }

    /// <summary>What every codebook begins with.</summary>
    int StartId { get; }

    /// <summary>Frames of codes a second.</summary>
    int FrameRate { get; }

    /// <summary>The most columns that the network can see.</summary>
    int ContextLength { get; }

    /// <summary>The number of token ids of captions.</summary>
    int CaptionVocabulary { get; }

    /// <summary>The most tokens of a caption.</summary>
    int CaptionLength { get; }

    /// <summary>The most rows that are read together such that each gets the bits that it would get alone.</summary>
    int MostRows { get; }

    /// <summary>Begins a generation, during which the network stays even if it is disposed.</summary>
    /// <exception cref="InvalidOperationException">The network is not in the state to generate.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    UseCount.Hold Hold();

    /// <summary>Begins to read rows, while the network is held.</summary>
    /// <param name="captions">For each row what the text encoder reads; null for no caption.</param>
    /// <param name="guidance">The scale; 1 for none.</param>
    IMusicBatch CreateBatch(IReadOnlyList<int[]?> captions, double guidance);

    /// <summary>[codebooks][frames] of a sound.</summary>
    /// <exception cref="ArgumentException">The sound is not one that the network knows.</exception>
    /// <exception cref="NotSupportedException">There is nothing that encodes sounds.</exception>
    int[][] EncodeSound(Waveform sound);

    /// <summary>The sound of [codebooks][frames].</summary>
    Waveform DecodeSound(IReadOnlyList<int[]> codes);
}
