using System.Text.RegularExpressions;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training.Reports;
using SkiaSharp;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Reports;

public class SoundAnswerTests
{
    private static readonly Waveform s_sound = new([.. Enumerable.Range(0, 4000).Select(i => (float)Math.Sin(i * 0.3))], 8000);

    [Fact]
    public void The_page_plays_a_sound_beside_its_picture_also_after_a_resume()
    {
        using var folder = new TemporaryFolder();
        var log = new AnswerLog(folder.Path, lastStep: 0);
        log.Write(3, [new MediaAnswer("a slow flute", MediaAnswer.Sound, WaveformFile.ToBytes(s_sound))]);

        var page = PageOf(log);

        AssertPlaysAndShows(page);
        Assert.Equal(4000, WaveformFile.Read(Path.Combine(folder.Path, "answers", "0000003-1.wav")).Frames);
        Assert.Equal(page, PageOf(new AnswerLog(folder.Path, lastStep: 3)));
    }

    [Fact]
    public void What_is_no_sound_is_kept_without_a_picture()
    {
        using var folder = new TemporaryFolder();
        var log = new AnswerLog(folder.Path, lastStep: 0);
        log.Write(3, [new MediaAnswer("a slow flute", MediaAnswer.Sound, [1, 2, 3])]);

        Assert.DoesNotContain("<img", PageOf(log), StringComparison.Ordinal);
    }

    private static void AssertPlaysAndShows(string page)
    {
        var content =
            Convert.FromBase64String(Regex.Match(page, "<audio controls src=\"data:audio/wav;base64,([^\"]+)\">").Groups[1].Value);
        Assert.Equal(s_sound.Frames, WaveformFile.Read(content, "the page").Frames);
        var picture = Convert.FromBase64String(Regex.Match(page, "<img class=\"sound\"[^>]*base64,([^\"]+)\">").Groups[1].Value);
        using var bitmap = SKBitmap.Decode(picture);
        Assert.Equal((512, 256), (bitmap.Width, bitmap.Height));
    }

    private static string PageOf(AnswerLog log) =>
        RunPage.Create("run", new RunStatus(1, 2, TimeSpan.Zero, null), new RunCurves(), log.Answers, []);
}
