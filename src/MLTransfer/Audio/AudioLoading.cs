using MLTransfer.Columns;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Audio;

/// <summary>Reads files of sounds.</summary>
/// <param name="Folder">Where names are looked up; null where they are paths.</param>
/// <param name="LongestSeconds">What a longer file is refused for.</param>
internal sealed record AudioLoading(string? Folder, double LongestSeconds) : AudioOperation
{
    internal override ColumnKind Accepted => ColumnKind.Text;

    internal override string Expected => "text, the names of files";

    internal override DataViewType OutputType { get; } = WaveformDataViewType.Of();

    public override void Check() => CheckLongest(LongestSeconds);

    public override MappedBatch CreateBatch(DataViewRow source, DataViewSchema.Column column, int slots) =>
        new AudioRows<ReadOnlyMemory<char>, Waveform?>(source, column, slots, (name, _, ref sound) =>
            sound = name.IsEmpty ? null
                : WaveformFile.Read(Path.Combine(Folder ?? "", name.ToString()), TimeSpan.FromSeconds(LongestSeconds)));

    public static void CheckLongest(double longestSeconds)
    {
        if (!(longestSeconds > 0 && longestSeconds <= TimeSpan.MaxValue.TotalSeconds / 2))
        {
            throw new ArgumentOutOfRangeException(
                nameof(longestSeconds), longestSeconds, $"{nameof(longestSeconds)} must be above 0, and less than ten thousand years.");
        }
    }
}
