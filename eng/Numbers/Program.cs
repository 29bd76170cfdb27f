// Prints numbers that the library computes, for a comparison of two builds on one machine; see eng/compare-numbers.sh.
//   dotnet run --project eng/Numbers -c Release -- REPORT [--data FOLDER] [--dump FOLDER] [GROUP...]
// REPORT gets a line for each quantity: name, SHA-256 of its bytes, its first values.
// Groups: text, training, onnx, images, networks, pipelines; none means all.
// --data names tests/data of a checkout, where not given of the one that the program was built in.
// --dump names a folder that gets each quantity's bytes.
// Only the files in Library/ use the library: they alone change with its names.
using System.Diagnostics;
using System.Globalization;
using Numbers.Data;
using Numbers.Groups;
using Numbers.Reports;
using static TorchSharp.torch;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var (data, dump, names) = (default(string), default(string), new List<string>());
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--data": data = args[++i]; break;
        case "--dump": dump = args[++i]; break;
        default: names.Add(args[i]); break;
    }
}

(string Name, Action<Report> Write)[] groups =
[
    ("text", TextNumbers.Write), ("training", TrainingNumbers.Write), ("onnx", OnnxNumbers.Write), ("images", ImageNumbers.Write),
    ("networks", NetworkNumbers.Write), ("pipelines", PipelineNumbers.Write),
];
if (names.Count == 0 || names.Skip(1).Except(groups.Select(group => group.Name)).Any())
{
    Console.Error.WriteLine(
        $"Usage: Numbers REPORT [--data FOLDER] [--dump FOLDER] [{string.Join('|', groups.Select(group => group.Name))}]...");
    return 2;
}

TestData.Folder = data is null ? TestData.Find() : Path.GetFullPath(data);
if (dump is not null)
    dump = Directory.CreateDirectory(dump).FullName;
set_num_threads(2);
var report = new Report(dump);
try
{
    foreach (var (name, write) in groups.Where(group => names.Count == 1 || names.Contains(group.Name)))
    {
        var clock = Stopwatch.StartNew();
        var before = report.Lines.Count();
        write(report);
        Console.Error.WriteLine($"{name}: {report.Lines.Count() - before} lines, {clock.Elapsed.TotalSeconds:F1} s");
    }
}
finally
{
    Scratch.Delete();
}

File.WriteAllLines(names[0], report.Lines);
if (report.Faults.Count > 0)
    Console.Error.WriteLine($"{report.Faults.Count} faults: {string.Join(", ", report.Faults)}");
return report.Faults.Count > 0 ? 1 : 0;
