// Prints how a training would scale over ranks, by docs/scale.md's cost model, for a model and a network of the user's:
//   dotnet run -c Release --project eng/ScaleTable -- config=gpt2/config.json rows=4 length=256 [lora=8] gigabits=10 microseconds=40
// measures a step of this machine; step=SECONDS and trained=PARAMETERS instead of config= take it from elsewhere. Under mpirun the network
// between the ranks is measured too, and a shared step beside what the model says of it:
//   mpirun -np 2 --bind-to none dotnet artifacts/bin/ScaleTable/release/ScaleTable.dll config=gpt2/config.json rows=4 length=256
using System.Globalization;
using MLTransfer.Mpi;
using ScaleTable;

var options = args.Select(argument => argument.Split('=', 2)).Where(parts => parts.Length == 2)
    .ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);
string[] known = ["config", "rows", "length", "lora", "gigabits", "microseconds", "step", "trained"];
if (options.Count != args.Length || options.Keys.Except(known).Any() || options.ContainsKey("config") == options.ContainsKey("step"))
    throw new ArgumentException($"Say NAME=VALUE of {string.Join(", ", known)}; either config, or step and trained.");

using var ranks = IsStarted() ? MpiCollective.Start() : null;
var (bandwidth, latency) = (Number("gigabits", 10) * 1e9 / 8, Number("microseconds", 40) * 1e-6);
if (ranks is { Size: > 1 })
    (bandwidth, latency) = Measurement.Network(ranks);

CostModel cost;
string? measured = null;
if (options.TryGetValue("config", out var configuration))
{
    using var measurement = new Measurement(
        configuration, (int)Number("rows", 4), (int)Number("length", 256), (int)Number("lora", 0));
    ranks?.Barrier();
    cost = new CostModel(measurement.StepSeconds(null), measurement.TrainedParameters, bandwidth, latency);
    if (ranks is { Size: > 1 })
    {
        var shared = measurement.StepSeconds(ranks);
        measured = Text(
            $"{ranks.Size} ranks: {shared:F3} s a step; predicted {cost.StepSeconds + cost.ExchangeSeconds(ranks.Size):F3} s");
    }
}
else
{
    cost = new CostModel(Number("step", 0), Number("trained", 0), bandwidth, latency);
}

if (ranks is { Rank: > 0 })
    return;
Console.WriteLine(Text($"{cost.TrainedParameters / 1e6:F1} million trained parameters, {cost.StepSeconds:F3} s a step alone"));
Console.WriteLine(Text($"{bandwidth / 1e9:F2} GB/s, {latency * 1e6:F0} microseconds"));
if (measured is not null)
    Console.WriteLine(measured);
Console.WriteLine();
Console.WriteLine("| ranks | exchange (s) | step with the same rows on each (s) | efficiency | speed-up of the same rows in all |");
Console.WriteLine("| --- | --- | --- | --- | --- |");
foreach (var count in (int[])[1, 2, 4, 8, 16, 32, 64, 128])
{
    var exchange = cost.ExchangeSeconds(count);
    Console.WriteLine(Text(
        $"| {count} | {exchange:F3} | {cost.StepSeconds + exchange:F3} | {cost.Efficiency(count):P0} | {cost.SpeedUp(count):F1} |"));
}

Console.WriteLine();
Console.WriteLine($"The same rows are through fastest on {cost.BestRanks} ranks.");

double Number(string name, double otherwise) =>
    options.TryGetValue(name, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

static bool IsStarted() => ((string[])["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"]).Any(
    name => Environment.GetEnvironmentVariable(name) is not null);
