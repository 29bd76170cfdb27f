using MLTransfer.Torch.Sounds;
using SkiaSharp;
using Xunit;

namespace MLTransfer.Tests.Pages;

internal sealed class AudioPageRun : PageRun
{
    public override string Page => "docs/audio.md";

    public override void Check(PageFolder folder, IReadOnlyList<string> printed)
    {
        Assert.Equal(new Page(Page).Text.Split("```text\n")[1].Split("\n```")[0], printed[0]);
        using var picture = SKBitmap.Decode(folder["3.png"]);
        Assert.Equal((640, 320), (picture.Width, picture.Height));
        Assert.True(File.Exists(folder["reading.zip"]));
        Assert.Equal("00:00:00.5000000", printed[1]);
        Assert.Equal(8000, WaveformFile.Read(folder["long.wav"]).Frames);
        Assert.Matches("^[1-9][0-9]* ?% of codewords.*\n2 codebooks, 25 frames$", printed[2]);
        Assert.Equal(4000, WaveformFile.Read(folder["decoded.wav"]).Frames);
        Assert.True(File.Exists(folder["codec-run/run.html"]));
    }
}
