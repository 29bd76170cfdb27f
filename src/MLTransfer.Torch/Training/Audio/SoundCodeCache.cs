using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Sounds;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// Makes codes of sounds, and keeps them in a folder: a file for each sound, whose name is made of the sound's content and of the codec's
/// weights. A sound is encoded once, whatever its file is called; with another codec it is encoded anew.
/// </summary>
/// <remarks>
/// Sounds of another rate are resampled, and their channels are mixed to those of the model. What is longer than
/// <see cref="PieceSeconds"/> is encoded in pieces of that length, so that a file of hours takes no more memory than a piece. Several
/// threads, and processes, may use a folder at once; a file in it that is damaged is made again.
/// </remarks>
public sealed class SoundCodeCache
{
    /// <summary>The length of a row of the pretraining.</summary>
    public const int PieceSeconds = 30;

    private readonly MusicGenModel _model;
    private readonly CodeCache _cache;

    /// <param name="model">Has the codec; it stays the caller's.</param>
    /// <param name="folder">Where codes are kept, such as a folder of the run's; null for nowhere.</param>
    public SoundCodeCache(MusicGenModel model, string? folder)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _cache = new(
            folder, () => $"{model.Codec.ComputeFingerprint()} {model.Codebooks} {model.Channels} {PieceSeconds}", IsUsable);
    }

    /// <summary>How many sounds this object has encoded, those left out that were in the folder.</summary>
    internal int EncodedSounds => _cache.EncodedCount;

    /// <summary>The codes of a sound: [codebooks][frames].</summary>
    /// <param name="sound">Of any rate; its channels are mixed.</param>
    /// <exception cref="ArgumentException">The sound is empty, has samples that are no numbers, or channels that cannot be
    /// mixed.</exception>
    /// <exception cref="IOException">The codes cannot be kept, for example because the disk is full.</exception>
    public int[][] Encode(Waveform sound)
    {
        ArgumentNullException.ThrowIfNull(sound);
        return Find($"samples {sound.SampleRate} {sound.Channels}", hash => hash.AppendData(MemoryMarshal.AsBytes(sound.Samples)), () =>
            [sound]);
    }

    /// <summary>The codes of a sound in a file: [codebooks][frames].</summary>
    /// <param name="path">WAV, MP3 or Ogg Vorbis.</param>
    /// <exception cref="IOException">The file cannot be read, or the codes cannot be kept.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or of another kind.</exception>
    public int[][] EncodeFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Find("file", hash => hash.AppendData(FileHash(path)), Read);

        IEnumerable<Waveform> Read()
        {
            using var reader = WaveformReader.Open(path);
            foreach (var piece in reader.ReadPieces(reader.SampleRate))
                yield return piece;
        }
    }

    private static byte[] FileHash(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        return SHA256.HashData(stream);
    }

    private int[][] Find(string kind, Action<IncrementalHash> addContent, Func<IEnumerable<Waveform>> read)
    {
        using var hold = _model.Hold();
        return _cache.Find(kind, addContent, () => Encode(read()));
    }

    private bool IsUsable(int[][] codes)
    {
        if (codes.Length != _model.Codebooks || codes[0].Length == 0)
            return false;
        SoundCodes.CheckCodes(_model, codes);
        return true;
    }

    private int[][] Encode(IEnumerable<Waveform> pieces)
    {
        var codes = Enumerable.Range(0, _model.Codebooks).Select(_ => new List<int>()).ToList();
        var length = PieceSeconds * _model.FrameRate * _model.Codec.HopLength;
        foreach (var piece in Cut(pieces.Select(piece => piece.Mix(_model.Channels)).Resample(_model.SampleRate), length))
        {
            foreach (var (codebook, row) in _model.EncodeSound(piece).Index())
                codes[codebook].AddRange(row);
        }

        return codes[0].Count > 0 ? [.. codes.Select(row => row.ToArray())] : throw new ArgumentException("The sound has no samples.");
    }

    /// <summary>The same sound in pieces of one length; the last may be shorter.</summary>
    private IEnumerable<Waveform> Cut(IEnumerable<Waveform> pieces, int length)
    {
        var (waiting, frames) = (new List<Waveform>(), 0);
        foreach (var piece in pieces)
        {
            waiting.Add(piece);
            frames += piece.Frames;
            while (frames >= length)
            {
                var joined = WaveformFile.Join(waiting, _model.SampleRate, _model.Channels);
                yield return Part(joined, 0, length);
                waiting.Clear();
                frames -= length;
                if (frames > 0)
                    waiting.Add(Part(joined, length, frames));
            }
        }

        if (frames > 0)
            yield return WaveformFile.Join(waiting, _model.SampleRate, _model.Channels);
    }

    private static Waveform Part(Waveform sound, int start, int frames)
    {
        var samples = new float[sound.Channels * frames];
        for (var channel = 0; channel < sound.Channels; channel++)
            sound.Channel(channel).Slice(start, frames).CopyTo(samples.AsSpan(channel * frames));
        return new(samples, sound.SampleRate, sound.Channels);
    }
}
