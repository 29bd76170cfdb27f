using AudioGeneration.Tunes;
using System.Diagnostics;
var clock = Stopwatch.StartNew();
var checker = new TuneChecker();
Console.WriteLine($"fit {clock.Elapsed.TotalSeconds:F1}");
var random = new Random(7);
int n = 200, scale = 0, timbre = 0, tempo = 0, metre = 0, all = 0, right = 0, total = 0, count = 0;
var confusion = new Dictionary<string, int>();
for (var i = 0; i < n; i++)
{
    var tune = TuneComposer.Compose(TuneStyle.Draw(random, Scale.All), random);
    var sound = TuneRenderer.Render(tune, random);
    if (i < 24) MLTransfer.Torch.Sounds.WaveformFile.Write($"/tmp/tune{i}.wav", sound);
    var report = checker.Check(sound);
    var s = report.Style!;
    bool a = s.Scale == tune.Style.Scale, b = s.Timbre == tune.Style.Timbre, c = s.Tempo == tune.Style.Tempo, d = s.Beats == tune.Style.Beats;
    if (a) scale++; if (b) timbre++; if (c) tempo++; if (d) metre++; if (a && b && c && d) all++;
    if (!a) Add($"{tune.Style.Timbre}: {tune.Style.Scale} heard {s.Scale}"); if (!b) Add($"{tune.Style.Timbre} heard {s.Timbre}");
    if (!c) Add($"{tune.Style.Timbre} {tune.Style.Tempo} {60 / tune.BeatSeconds:F0} heard {report.BeatsPerMinute:F0}");
    if (!d) Add($"{tune.Style.Timbre} {tune.Style.Beats} heard {s.Beats}");
    if (report.Notes.Count == tune.Notes.Count) count++;
    else Add($"{tune.Style.Timbre} notes {tune.Notes.Count} heard {report.Notes.Count}");
    foreach (var note in tune.Notes) { total++; if (report.Notes.Any(h => Math.Abs(h.Start - note.Start * tune.BeatSeconds) < 0.06 && h.Semitone == note.Pitch)) right++; }
}
void Add(string key) => confusion[key] = confusion.GetValueOrDefault(key) + 1;
Console.WriteLine($"of {n}: scale {scale} timbre {timbre} tempo {tempo} metre {metre} all {all}; counts {count}; notes {right / (double)total:P1}; {clock.Elapsed.TotalSeconds:F1} s");
foreach (var (k, v) in confusion.OrderBy(x => x.Key)) Console.WriteLine($"{k}: {v}");
