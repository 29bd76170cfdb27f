using MLTransfer.Columns;
using MLTransfer.Torch.Sounds;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLTransfer.Audio;

/// <summary>Draws sounds.</summary>
/// <param name="Width">Of the pictures, in pixels.</param>
/// <param name="Height">Likewise.</param>
internal sealed record AudioPlotting(int Width, int Height) : AudioOperation
{
    internal override DataViewType OutputType => new ImageDataViewType(Height, Width);

    public override void Check()
    {
        foreach (var (option, size) in new[] { ("imageWidth", Width), ("imageHeight", Height) })
        {
            OptionCheck.AtLeast(option, size, WaveformPlot.SmallestSize);
            OptionCheck.AtMost(option, size, WaveformPlot.LargestSize, "which is more than any screen has");
        }
    }

    public override MappedBatch CreateBatch(DataViewRow source, DataViewSchema.Column column, int slots) =>
        new AudioRows<Waveform?, MLImage?>(source, column, slots, (sound, _, ref picture) =>
        {
            picture = null;
            if (sound is null)
                return;
            using var png = new MemoryStream(WaveformPlot.ToPng(sound, Width, Height));
            picture = MLImage.CreateFromStream(png);
        });
}
