// Composes and plays tunes and trains the embedded music generator on them, from random weights: a codec, and a MusicGen with its text
// encoder and tokenizer.
//   dotnet run --project eng/MakeTunesModel -c Release -- FOLDER [SHARE]
// FOLDER gets the runs' checkpoints and metrics, training.log, and in FOLDER/model the files of src/MLTransfer.Models.Tunes/model. A run
// that was cut off goes on. SHARE of the steps, such as 0.03, is for a trial. The codec took 40 minutes and the decoder 108,
// each on one core of an AMD EPYC (Zen 4) that others used too.
using System.Diagnostics;
using System.Globalization;
using AudioGeneration.Tunes;
using MakeTunesModel;
using MLTransfer.Making;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

const int Seed = 1;
const int CodecSteps = 2_400;
const int MusicSteps = 7_000;
const int HeldOutTunes = 48;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not ([_] or [_, _]))
{
    Console.Error.WriteLine("Usage: MakeTunesModel FOLDER [SHARE]");
    return 1;
}

var clock = Stopwatch.StartNew();
var share = args.Length > 1 ? double.Parse(args[1]) : 1;
var (folder, log) = (args[0], new TrainingLog(args[0]));
int Steps(int all) => Math.Max(10, (int)(share * all));
var heldOut = new TuneSet(HeldOutTunes, seed: 1000);
var checker = new TuneChecker();

using var codec = new CodecStage(Path.Combine(folder, "codec"), Seed, log).Run(Steps(CodecSteps), heldOut);
CodecStage.Measure(codec, heldOut, checker, log);
var (model, tokenizer) = new MusicStage(Path.Combine(folder, "music"), Seed, log).Run(codec, Steps(MusicSteps), share, heldOut);
var modelFolder = Directory.CreateDirectory(Path.Combine(folder, "model")).FullName;
model.Save(modelFolder, ScalarType.Float16);
tokenizer.Save(modelFolder);
model.Dispose();

using var stored = MusicGenModel.Load(modelFolder); // measured as it is shipped
CodecStage.Measure(stored.Codec, heldOut, checker, log);
MusicStage.Measure(stored, TextTokenizer.Load(modelFolder), Steps(96), checker, folder, log);
var size = new DirectoryInfo(modelFolder).EnumerateFiles().Sum(file => file.Length);
log.Write($"{size / 1e6:F2} MB; {clock.Elapsed.TotalMinutes:F1} minutes");
return 0;
