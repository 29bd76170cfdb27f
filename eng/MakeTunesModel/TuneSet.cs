using AudioGeneration.Tunes;
using MLTransfer.Torch.Sounds;

namespace MakeTunesModel;

/// <summary>Tunes that are composed and played when they are asked for: the same number always gives the same tune.</summary>
/// <param name="count">How many.</param>
/// <param name="seed">Decides on them.</param>
internal sealed class TuneSet(int count, int seed)
{
    public int Count => count;

    public (TuneStyle Style, string Caption, Tune Tune, Waveform Sound) this[int index]
    {
        get
        {
            var random = new Random(HashOf(seed, index));
            var style = TuneStyle.Draw(random, Scale.Known);
            var tune = TuneComposer.Compose(style, random);
            return (style, TuneCaptions.Draw(style, random), tune, TuneRenderer.Render(tune, random));
        }
    }

    /// <summary>All sounds, in memory.</summary>
    public IReadOnlyList<Waveform> Sounds() => [.. Enumerable.Range(0, count).AsParallel().AsOrdered().Select(index => this[index].Sound)];

    private static int HashOf(int seed, int index) => unchecked(seed * 1_000_003 + index);
}
