using AudioGeneration.Tunes;

namespace MakeTunesModel;

/// <summary>How often tunes are as their captions say.</summary>
internal sealed class CaptionScore
{
    private int _count, _scale, _timbre, _tempo, _beats, _all;
    private double _inScale;

    public void Add(TuneStyle asked, TuneReport heard)
    {
        _count++;
        _inScale += heard.ShareIn(asked.Scale);
        if (heard.Style is not { } style)
            return;
        bool[] same = [style.Scale == asked.Scale, style.Timbre == asked.Timbre, style.Tempo == asked.Tempo, style.Beats == asked.Beats];
        (_scale, _timbre, _tempo, _beats, _all) = (
            _scale + (same[0] ? 1 : 0), _timbre + (same[1] ? 1 : 0), _tempo + (same[2] ? 1 : 0), _beats + (same[3] ? 1 : 0),
            _all + (same.All(part => part) ? 1 : 0));
    }

    public override string ToString()
    {
        double Share(int part) => (double)part / Math.Max(1, _count);
        return $"of {_count}: scale {Share(_scale):P0}, timbre {Share(_timbre):P0}, tempo {Share(_tempo):P0}, beats {Share(_beats):P0}, "
            + $"all {Share(_all):P0}; notes in the scale {_inScale / Math.Max(1, _count):P1}";
    }
}
