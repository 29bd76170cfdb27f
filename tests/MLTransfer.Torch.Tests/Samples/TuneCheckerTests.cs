using AudioGeneration.Tunes;
using MLTransfer.Torch.Sounds;
using Xunit;

namespace MLTransfer.Torch.Tests.Samples;

/// <summary>The tunes of <c>samples/AudioGeneration</c> and what is heard in them: figures of models are measured by it.</summary>
public class TuneCheckerTests
{
    private const int Count = 60;

    private static readonly TuneChecker s_checker = new();

    [Fact]
    public void What_is_heard_in_real_tunes_is_what_was_composed()
    {
        var random = new Random(7);
        var (all, notes, heard) = (0, 0, 0);
        for (var i = 0; i < Count; i++)
        {
            var tune = TuneComposer.Compose(TuneStyle.Draw(random, Scale.All), random);
            var report = s_checker.Check(TuneRenderer.Render(tune, random));
            all += report.Style == tune.Style ? 1 : 0;
            notes += tune.Notes.Count;
            heard += tune.Notes.Count(note => report.Notes.Any(other =>
                other.Semitone == note.Pitch && Math.Abs(other.Start - note.Start * tune.BeatSeconds) < 0.06));
            Assert.InRange(report.ShareIn(tune.Style.Scale), 0.8, 1);
        }

        Assert.InRange((double)all / Count, 0.95, 1);
        Assert.InRange((double)heard / notes, 0.97, 1);
    }

    [Fact]
    public void Tunes_follow_their_style_and_come_again_with_their_seed()
    {
        foreach (var scale in Scale.All)
        {
            var style = TuneStyle.Draw(new Random(3), [scale]);
            var tune = TuneComposer.Compose(style, new Random(5));
            Assert.Equal(tune.Notes, TuneComposer.Compose(style, new Random(5)).Notes);
            Assert.Equal(1, scale.ShareOf([.. tune.Notes.Select(note => note.Pitch)]));
            Assert.Equal(style.Bars * style.Beats, tune.Notes.Sum(note => note.Length));
            Assert.Equal(tune.Notes[0].Pitch % 12, tune.Notes[^1].Pitch % 12); // the tonic
            var sound = TuneRenderer.Render(tune, new Random(5));
            Assert.Equal(Tune.Seconds, sound.Duration.TotalSeconds, 1e-3);
            Assert.True(sound.Samples.SequenceEqual(TuneRenderer.Render(tune, new Random(5)).Samples));
        }
    }

    [Fact]
    public void Another_scale_holds_fewer_of_the_notes()
    {
        var random = new Random(11);
        var shares = Enumerable.Range(0, 20).Select(_ =>
        {
            var tune = TuneComposer.Compose(TuneStyle.Draw(random, [Scale.Major, Scale.Minor]), random);
            return s_checker.Check(TuneRenderer.Render(tune, random)).ShareIn(Scale.WholeTone);
        });
        Assert.InRange(shares.Average(), 0.4, 0.8);
    }

    [Fact]
    public void Nothing_is_heard_in_silence_noise_has_no_style_that_was_asked_for_and_a_short_sound_is_none()
    {
        Assert.Null(s_checker.Check(new Waveform(new float[8000], 8000)).Style);
        Assert.Null(s_checker.Check(new Waveform(new float[10], 8000)).Style);
        var random = new Random(1);
        var noise = new Waveform([.. Enumerable.Range(0, 40_000).Select(_ => random.NextSingle() - 0.5f)], 8000);
        Assert.InRange(s_checker.Check(noise).ShareIn(Scale.WholeTone), 0, 0.95);
    }

    [Fact]
    public void Captions_say_what_there_is_in_several_ways()
    {
        var style = new TuneStyle(Scale.Minor, Timbre.Flute, Tempo.Slow, 3);
        Assert.Equal("slow minor flute, three beats", TuneCaptions.Full(style));
        var random = new Random(2);
        var captions = Enumerable.Range(0, 100).Select(_ => TuneCaptions.Draw(style, random)).Distinct().ToList();
        Assert.Equal(7, captions.Count);
        Assert.All(captions, caption => Assert.Contains("minor", caption, StringComparison.Ordinal));
        Assert.All(captions, caption => Assert.Contains("flute", caption, StringComparison.Ordinal));
    }
}
