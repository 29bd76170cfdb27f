using MLTransfer.Torch.Training;
using SkiaSharp;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

public class LinePlotTests
{
    private const int Width = 900, Height = 500, RightOfAxes = Width - 20;

    [Fact]
    public void Legend_lies_inside_the_plot_however_long_its_labels_are()
    {
        using var plain = Draw("a");
        using var wide = Draw("the discriminator's loss of generated pictures");

        Assert.True(Darkest(plain, 0, RightOfAxes - 100) < 100); // the title and the axes
        Assert.Equal(255, Darkest(plain, RightOfAxes + 12, Width));
        Assert.Equal(255, Darkest(wide, RightOfAxes + 12, Width));
        Assert.True(
            Darkest(wide, RightOfAxes - 250, RightOfAxes - 200) < Darkest(plain, RightOfAxes - 250, RightOfAxes - 200),
            "The long label reaches far to the left.");
    }

    private static SKBitmap Draw(string label)
    {
        var plot = new LinePlot("Loss", "Step", "Loss");
        plot.Add(label, [(0, 0), (10, 0.2)], markers: false);
        plot.Add("b", [(0, 1)], markers: true);
        return SKBitmap.Decode(plot.ToPng(Width, Height));
    }

    /// <summary>The least red, green or blue of the upper half of some columns, below the title.</summary>
    private static int Darkest(SKBitmap picture, int left, int right)
    {
        var darkest = 255;
        for (var x = left; x < right; x++)
        {
            for (var y = 35; y < Height / 2; y++)
            {
                var color = picture.GetPixel(x, y);
                darkest = Math.Min(darkest, Math.Min(color.Red, Math.Min(color.Green, color.Blue)));
            }
        }

        return darkest;
    }
}
