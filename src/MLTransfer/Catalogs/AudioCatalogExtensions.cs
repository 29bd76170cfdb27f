using MLTransfer.Audio;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <summary>
/// Sounds in <c>mlContext.Transforms</c>. A column of sounds has values of <see cref="Waveform"/>; a row without one (an empty name, a
/// null)
/// has none afterwards. What is wrong with a row is told when the row is read.
/// </summary>
public static partial class AudioCatalogExtensions
{
    /// <summary>Ten minutes.</summary>
    private const double LongestSeconds = 600;

    /// <summary>Reads files of sounds: WAV (PCM of 8, 16, 24 and 32 bits, float), MP3 and Ogg Vorbis, by their content.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the sounds, each at its file's rate with its channels.</param>
    /// <param name="audioFolder">The folder that names are looked up in; null where they are paths.</param>
    /// <param name="inputColumnName">The text column with the files' names; null where it is called as the output.</param>
    /// <param name="longestSeconds">
    /// What a longer file is refused for: a row holds the whole sound. Files of hours are read in pieces by <see cref="WaveformReader"/>.
    /// </param>
    /// <exception cref="ArgumentException">The folder is not there, or an argument is not usable; the message names it.</exception>
    public static AudioEstimator LoadAudio(
        this TransformsCatalog catalog, string outputColumnName, string? audioFolder, string? inputColumnName = null,
        double longestSeconds = LongestSeconds)
    {
        if (!string.IsNullOrEmpty(audioFolder) && !Directory.Exists(audioFolder))
            throw new ArgumentException($"The folder '{audioFolder}' does not exist.", nameof(audioFolder));
        var folder = string.IsNullOrEmpty(audioFolder) ? null : Path.GetFullPath(audioFolder);
        return Create(catalog, outputColumnName, inputColumnName, new AudioLoading(folder, longestSeconds));
    }

    /// <summary>Gives all sounds one rate, and one number of channels, by a band-limited filter that delays nothing.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the new sounds: <c>ceil(frames * new rate / old rate)</c> frames each.</param>
    /// <param name="sampleRate">Frames a second.</param>
    /// <param name="channels">
    /// 1 for the mean of all channels, or a number that sounds of one channel are copied to; null to leave them as they are.
    /// </param>
    /// <param name="inputColumnName">The column of sounds; null where it is called as the output.</param>
    /// <exception cref="ArgumentException">An argument is not usable; the message names it.</exception>
    public static AudioEstimator ResampleAudio(
        this TransformsCatalog catalog, string outputColumnName, int sampleRate, int? channels = null, string? inputColumnName = null) =>
        Create(catalog, outputColumnName, inputColumnName, new AudioResampling(sampleRate, channels));

    /// <summary>
    /// Writes sounds into WAV files that are named by the row's id, such as <c>000012.wav</c> for the row at position 12 of data in memory:
    /// other rows, cursors and threads do not change a row's name. A row is written when its new value is asked for, under a temporary name
    /// that is renamed.
    /// </summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The text column for the files' names, which <see cref="LoadAudio"/> reads.</param>
    /// <param name="audioFolder">The folder that files are written into; it is made where it is not there.</param>
    /// <param name="inputColumnName">The column of sounds; null where it is called as the output.</param>
    /// <param name="encoding">How samples are held.</param>
    /// <exception cref="ArgumentException">An argument is not usable; the message names it.</exception>
    public static AudioEstimator SaveAudio(
        this TransformsCatalog catalog, string outputColumnName, string audioFolder, string? inputColumnName = null,
        WaveEncoding encoding = WaveEncoding.Pcm16)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(audioFolder);
        return Create(catalog, outputColumnName, inputColumnName, new AudioSaving(Path.GetFullPath(audioFolder), encoding));
    }

    /// <summary>Draws sounds: the waveform above, the spectrogram below.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the pictures, each an <see cref="MLImage"/>, whose <c>Save</c> writes PNG
    /// files.</param>
    /// <param name="inputColumnName">The column of sounds; null where it is called as the output.</param>
    /// <param name="imageWidth">In pixels.</param>
    /// <param name="imageHeight">In pixels.</param>
    /// <exception cref="ArgumentException">An argument is not usable; the message names it.</exception>
    public static AudioEstimator PlotAudio(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null, int imageWidth = 800,
        int imageHeight = 400) =>
        Create(catalog, outputColumnName, inputColumnName, new AudioPlotting(imageWidth, imageHeight));

    /// <summary>
    /// Turns sounds into the content of WAV files, a vector of Byte. ML.NET's <c>SaveAsBinary</c> leaves out columns of a type that it does
    /// not know, pictures and sounds among them; it writes this one.
    /// </summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the content.</param>
    /// <param name="inputColumnName">The column of sounds; null where it is called as the output.</param>
    /// <param name="encoding">How samples are held; float loses nothing.</param>
    /// <exception cref="ArgumentException">An argument is not usable; the message names it.</exception>
    public static AudioEstimator EncodeAudio(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null,
        WaveEncoding encoding = WaveEncoding.Float32) =>
        Create(catalog, outputColumnName, inputColumnName, new AudioEncoding(encoding));

    /// <summary>Reads sounds out of the content of files, as <see cref="EncodeAudio"/> or a database has it.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="outputColumnName">The column for the sounds.</param>
    /// <param name="inputColumnName">
    /// The column of vectors of Byte, each the content of a WAV, MP3 or Ogg Vorbis file; null where it is called as the output.
    /// </param>
    /// <param name="longestSeconds">What a longer sound is refused for.</param>
    /// <exception cref="ArgumentException">An argument is not usable; the message names it.</exception>
    public static AudioEstimator DecodeAudio(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null,
        double longestSeconds = LongestSeconds) =>
        Create(catalog, outputColumnName, inputColumnName, new AudioDecoding(longestSeconds));

    private static AudioEstimator Create(
        TransformsCatalog catalog, string outputColumnName, string? inputColumnName, AudioOperation operation)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        OptionCheck.ColumnName(nameof(inputColumnName), inputColumnName);
        return new AudioEstimator(CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, operation);
    }
}
